"""Abstracts in sections, from PubMed XML and JATS: what the readers share that learn from them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from biobert.core.document import Document
from biobert.core.files import Eager, open_binary, plain_name
from biobert.data.formats import jats, pubmed
from biobert.data.formats._evidence import article_splits
from biobert.data.formats._passages import Part
from biobert.data.formats._xml import root_of
from biobert.data.rejects import Rejects
from biobert.data.splits import SPLIT

ROLES = ("BACKGROUND", "OBJECTIVE", "METHODS", "RESULTS", "CONCLUSIONS")
CONCLUSIONS = ROLES[-1]
TRAIN = "train"
# The words that headings are made of, as the National Library of Medicine groups its labels.
ROLE_OF_WORD = {
    word: role
    for role, words in {
        "BACKGROUND": "background introduction context rationale",
        "OBJECTIVE": "objective objectives aim aims purpose goal goals hypothesis",
        "METHODS": "method methods methodology design setting settings participants patients "
        "subjects animals intervention interventions measure measures measurements statistics",
        "RESULTS": "result results findings",
        "CONCLUSIONS": "conclusion conclusions interpretation discussion",
    }.items()
    for word in words.split()
}
LETTERS = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Abstract:
    """The sections of a document's abstract, with its headings; `document` is the whole."""

    document: Document
    sections: tuple[Part, ...]
    metadata: Mapping[str, str]


def role_of(heading: str) -> str | None:
    """The one role that a section's heading tells; none of two at once (`Methods and results`)."""
    if "?" in heading:
        return None
    words = LETTERS.findall(heading.lower())
    roles = {ROLE_OF_WORD[word] for word in words if word in ROLE_OF_WORD}
    return roles.pop() if len(roles) == 1 else None


def abstracts_in_sections(
    path: Path, beside: Mapping[str, Path], rejects: Rejects
) -> Iterator[Abstract]:
    """The abstracts whose headings tell a role, in file order; others are set aside.

    Lists of articles, called `SPLIT-articles`, put the split into the metadata; what no list has
    belongs to `train`.
    """
    splits = article_splits(beside)
    for document in _documents(path, rejects):
        sections = tuple(
            Part(one.kind, document.text[one.start : one.end], one.heading)
            for one in document.passages
            if one.kind == "abstract"
        )
        if any(role_of(one.heading) for one in sections):
            split = splits.get(document.id.removeprefix("PMC"), TRAIN)
            known = {SPLIT: split} if splits else {}
            yield Abstract(document, sections, {**document.metadata, **known})
        else:
            rejects.add(path, document.id, "no sections: no heading of its abstract tells a role")


def _documents(path: Path, rejects: Rejects) -> Iterator[Document]:
    if plain_name(path).lower().endswith(jats.ENDINGS):
        return jats.read(path, rejects)
    with open_binary(path) as stream:
        root = root_of(Eager(stream))
    read = pubmed.read if root in pubmed.ROOTS else jats.read
    return read(path, rejects)
