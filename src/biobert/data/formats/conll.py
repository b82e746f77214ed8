"""CoNLL columns: a word a line, its tag last, a blank line after each sentence.

IOB1, IOB2 and IOBES are all read, with or without `-DOCSTART-`; so are bare `B` and `I` without a
type. IOB2 is written. Words are joined by single spaces, sentences by newlines. Without
`-DOCSTART-` a file says nothing of its documents, so every 100 sentences make one.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from biobert.core.document import Document, Entity, Span
from biobert.core.files import bounded_lines, open_text
from biobert.data.formats._columns import (
    DOCUMENT_START,
    LONGEST_LINE,
    TagColumn,
    cells_of,
    read_columns,
    words_with,
    write_columns,
)
from biobert.data.rejects import Rejects

ENDINGS = (".conll", ".bio", ".iob", ".iob2")
HOLDS = ("entities",)
OUTSIDE = "O"
PREFIXES = frozenset("BIESLU")
UNNAMED = "Entity"
"""The type of mentions in files whose tags are bare, such as the B, I, O of BioBERT's folders."""


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Documents of a file; a line without a tag or with an unknown one is set aside as O."""
    return read_columns(path, rejects, COLUMN)


def write(documents: Iterable[Document], path: Path | str) -> int:
    """Write IOB2 with white-space words, cut where an entity begins or ends.

    Where entities overlap, the longer one is written: the format holds one tag a word.
    """
    return write_columns(documents, path, COLUMN)


def begins_with_tag(path: Path | str) -> bool:
    """Whether the first row is a word and its tag, not the row of a table of texts."""
    with open_text(path, lambda lost: None) as stream:  # what reads the file tells
        lines = (line for _, line in bounded_lines(stream, LONGEST_LINE) if line and line.strip())
        return _is_tagged(next(lines, ""))


def begins(text: str) -> bool:
    """The same of a text, where a tab parts word and tag: `Vitamin B` is a heading of prose."""
    first = text.partition("\n")[0]
    return ("\t" in first or first.startswith(DOCUMENT_START)) and _is_tagged(first)


def _is_tagged(line: str) -> bool:
    cells = cells_of(line)
    are_words = all(len(cell.split()) < 2 for cell in cells)
    is_tagged = len(cells) > 1 and not _problem(cells[-1].strip())
    return (are_words and is_tagged) or cells[:1] == [DOCUMENT_START]


def tagged_stretches(tags: list[str]) -> Iterator[tuple[int, int, str]]:
    """(first word, word after the last, label) of each entity, whichever IOB dialect it is.

    An I of another label, or after an O, begins an entity (IOB1); E, S and L, U end one (IOBES).
    """
    start, label = 0, ""
    for position, tag in enumerate([*tags, OUTSIDE]):
        prefix, _, name = (f"{tag}-{UNNAMED}" if tag in PREFIXES else tag).partition("-")
        continues = label and name == label and prefix in ("I", "E", "L")
        if label and not continues:
            yield start, position, label
            label = ""
        if not label and name:
            start, label = position, name
        if label and prefix in ("E", "L", "S", "U"):
            yield start, position + 1, label
            label = ""


def _problem(tag: str) -> str:
    prefix, dash, name = tag.partition("-")
    if tag != OUTSIDE and (prefix not in PREFIXES or bool(dash) != bool(name)):
        return f"unknown tag: {tag[:40]!r} is neither O nor one of B- I- E- S- L- U-"
    return ""


def _tagged_words(document: Document, sentence: Span) -> Iterator[tuple[str, str]]:
    position = sentence.start
    for entity in _apart(document, sentence):
        start, end = max(entity.start, sentence.start), min(entity.end, sentence.end)
        yield from words_with(OUTSIDE, document.text[position:start])
        for number, word in enumerate(document.text[start:end].split()):
            yield word, f"{'I' if number else 'B'}-{entity.label}"
        position = end
    yield from words_with(OUTSIDE, document.text[position : sentence.end])


def _apart(document: Document, sentence: Span) -> list[Entity]:
    """The entities in a sentence, in order; of those that overlap, the longest, then the surest."""
    inside = (
        one for one in document.entities if one.start < sentence.end and one.end > sentence.start
    )
    kept: list[Entity] = []
    for entity in sorted(inside, key=lambda one: (one.start - one.end, -(one.score or 0.0))):
        if all(entity.end <= other.start or other.end <= entity.start for other in kept):
            kept.append(entity)
    return sorted(kept, key=lambda entity: entity.start)


COLUMN = TagColumn(OUTSIDE, _problem, tagged_stretches, _tagged_words)
