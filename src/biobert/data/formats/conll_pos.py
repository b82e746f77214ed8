"""CoNLL columns of plain tags, such as parts of speech: a word a line, its tag last.

Every word with a tag is an entity of its own, with the tag as its label, whatever characters the
tag is made of (`''`, `-LRB-`, `,`); `_` stands for a word without a tag. Entities are written as
words, so `(IL-2)` becomes three lines where three entities part it. Words are joined by single
spaces, sentences by newlines. Without `-DOCSTART-` every 100 sentences make a document.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from biobert.core.document import Document, Span
from biobert.data.formats._columns import TagColumn, read_columns, words_with, write_columns
from biobert.data.rejects import Rejects

ENDINGS = (".pos",)
HOLDS = ("entities",)
OUTSIDE = "_"


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Documents of a file; a line without a tag is set aside and keeps its word."""
    return read_columns(path, rejects, COLUMN)


def write(documents: Iterable[Document], path: Path | str) -> int:
    """Write each entity as a word; what stands between entities is written without a tag.

    Where entities overlap, the first is written, and the longest of those that begin together.
    """
    return write_columns(documents, path, COLUMN)


def _problem(tag: str) -> str:
    return "" if tag else "no tag: the last column is empty"


def _stretches(tags: list[str]) -> Iterator[tuple[int, int, str]]:
    for number, tag in enumerate(tags):
        if tag != OUTSIDE:
            yield number, number + 1, tag


def _tagged_words(document: Document, sentence: Span) -> Iterator[tuple[str, str]]:
    inside = (one for one in document.entities if sentence.start <= one.start < sentence.end)
    position = sentence.start
    for entity in sorted(inside, key=lambda entity: (entity.start, -entity.end)):
        if entity.start < position or not document.text[entity.start : entity.end].strip():
            continue
        yield from words_with(OUTSIDE, document.text[position : entity.start])
        position = min(entity.end, sentence.end)
        yield " ".join(document.text[entity.start : position].split()), entity.label
    yield from words_with(OUTSIDE, document.text[position : sentence.end])


COLUMN = TagColumn(OUTSIDE, _problem, _stretches, _tagged_words)
