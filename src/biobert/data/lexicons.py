"""Lists of terms: lexicons by label, names of ontologies, synonyms of words."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import plain_name
from biobert.data.lines import lines_of
from biobert.data.rejects import Rejects

Terms = Mapping[str, tuple[str, ...]]
"""By label the terms that may stand for it, or by word its synonyms; each once, in order."""
LONGEST_TERM = 300
"""In characters: what is longer is a definition, not a name."""
ONTOLOGY_NAME = re.compile(
    r'(?:name: (?P<name>.+)|synonym: "(?P<synonym>(?:[^"\\]|\\.)+)" EXACT\b)'
)
ESCAPED = re.compile(r"\\(.)")


def read_lexicon(path: Path | str, rejects: Rejects) -> Terms:
    """The terms of a TSV file with a label and a term in each row."""
    terms: dict[str, dict[str, None]] = {}
    for number, cells in _rows(path, rejects):
        if len(cells) == 2 and all(cells):
            _add(terms, cells[0], cells[1], path, number, rejects)
        else:
            rejects.add(path, number, f"not a label and a term: {len(cells)} columns")
    return _settled(terms, path, "terms: write label TAB term in each row")


def read_synonyms(path: Path | str, rejects: Rejects) -> Terms:
    """The synonyms of a TSV file with a word and its synonyms in each row, words in lower case."""
    synonyms: dict[str, dict[str, None]] = {}
    for number, cells in _rows(path, rejects):
        word, *others = cells
        if not word or len(word.split()) > 1 or not any(others):
            rejects.add(path, number, "not a word and its synonyms: parted by tabs")
            continue
        for other in filter(None, others):
            _add(synonyms, word.lower(), other, path, number, rejects)
    return _settled(synonyms, path, "synonyms: write word TAB synonym in each row")


def read_ontology(path: Path | str, rejects: Rejects) -> tuple[str, ...]:
    """The names and exact synonyms of an OBO file, or the second column of a TSV (id, name).

    Obsolete terms are left out.
    """
    found: dict[str, dict[str, None]] = {}
    names = _obo_names if plain_name(path).lower().endswith(".obo") else _table_names
    for number, name in names(path, rejects):
        _add(found, "", name, path, number, rejects)
    return _settled(found, path, "names: give an OBO file, or a TSV of id and name")[""]


def terms_of(documents: Iterable[Document]) -> Terms:
    """By label the mentions of some documents; those in pieces or over several lines aside."""
    terms: dict[str, dict[str, None]] = {}
    for document in documents:
        for entity in document.entities:
            mention = document.text[entity.start : entity.end]
            if not entity.fragments and mention.isprintable() and mention == mention.strip():
                terms.setdefault(entity.label, {})[mention] = None
    return {label: tuple(some) for label, some in terms.items()}


def _add(
    terms: dict[str, dict[str, None]],
    label: str,
    term: str,
    path: Path | str,
    number: int,
    rejects: Rejects,
) -> None:
    if len(term) > LONGEST_TERM or not term.isprintable():
        rejects.add(path, number, f"not a term: longer than {LONGEST_TERM} or of several lines")
    else:
        terms.setdefault(label, {})[term] = None


def _settled(terms: Mapping[str, Mapping[str, None]], path: Path | str, cure: str) -> Terms:
    if not terms:
        raise BadInputError(f"{path}: no {cure}")
    return {label: tuple(some) for label, some in terms.items()}


def _rows(path: Path | str, rejects: Rejects) -> Iterator[tuple[int, Sequence[str]]]:
    for number, line in lines_of(path, rejects):
        if line.strip():
            yield number, [cell.strip() for cell in line.rstrip("\r\n").split("\t")]


def _table_names(path: Path | str, rejects: Rejects) -> Iterator[tuple[int, str]]:
    for number, cells in _rows(path, rejects):
        if number == 1 and cells[0].lower() == "id":
            continue
        name = next(csv.reader([cells[1]]), [""])[0] if len(cells) > 1 else ""
        if name:
            yield number, name
        else:
            rejects.add(path, number, "no name: a row is id TAB name")


def _obo_names(path: Path | str, rejects: Rejects) -> Iterator[tuple[int, str]]:
    """The names of the `[Term]` stanzas, each stanza held back until it is not obsolete."""
    stanza: list[tuple[int, str]] = []
    is_term = False
    for number, line in lines_of(path, rejects):
        text = line.strip()
        if text.startswith("["):
            yield from stanza
            stanza, is_term = [], text == "[Term]"
        elif text.startswith("is_obsolete: true"):
            stanza, is_term = [], False
        elif is_term and (match := ONTOLOGY_NAME.match(text)):
            name = match["name"] or match["synonym"]
            stanza.append((number, ESCAPED.sub(r"\1", name).strip()))
    yield from stanza
