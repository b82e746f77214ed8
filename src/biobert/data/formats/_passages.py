"""Documents and the parts of their text: what readers and writers share."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from biobert.core.document import Document, Passage


@dataclass(frozen=True, slots=True)
class Part:
    """A passage to be, with its text."""

    kind: str
    text: str
    heading: str = ""


def joined(parts: Iterable[Part]) -> tuple[str, tuple[Passage, ...]]:
    """One text of the parts, each on a line of its own, and its passages; blank parts are none."""
    texts: list[str] = []
    passages: list[Passage] = []
    start = 0
    for part in parts:
        text = part.text.strip()
        if text:
            texts.append(text)
            passages.append(Passage(start, start + len(text), part.kind, part.heading))
            start += len(text) + 1
    return "\n".join(texts), tuple(passages)


def covering_passages(document: Document) -> list[Passage]:
    """The passages in text order, with one of kind `text` for each stretch outside of them all."""
    found: list[Passage] = []
    position = 0
    for passage in sorted(document.passages, key=lambda one: one.start):
        found += _outside(document.text, position, passage.start)
        found.append(passage)
        position = max(position, passage.end)
    return found + list(_outside(document.text, position, len(document.text)))


def _outside(text: str, start: int, end: int) -> Iterator[Passage]:
    if text[start:end].strip():
        yield Passage(start, end, "text")
