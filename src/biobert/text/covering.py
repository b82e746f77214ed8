"""What is read of a text: all of it, and none of it twice."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from operator import attrgetter
from typing import TypeVar

from biobert.core.document import Document, Passage, Span

Part = TypeVar("Part", Span, Passage)


def covering(
    text: str, parts: Iterable[Part], outside: Callable[[int, int], Iterable[Part]]
) -> Iterator[Part]:
    """The parts in text order, and what `outside` makes of each stretch that none of them holds.

    Of two that overlap, the one that begins first, or ends first, keeps what both hold. An empty
    part keeps its place, and one of which only blanks are left is none.
    """
    position = 0
    for part in sorted(parts, key=attrgetter("start", "end")):
        if position < part.start and not text[position : part.start].isspace():
            yield from outside(position, part.start)
        if position <= part.start or part.start == part.end:
            yield part
        elif not text[position : part.end].isspace() and position < part.end:
            yield replace(part, start=position)
        position = max(position, part.end)
    if position < len(text) and not text[position:].isspace():
        yield from outside(position, len(text))


def disjoint_passages(document: Document) -> Iterator[Passage]:
    """The passages, and one of kind `text` for each stretch outside of them; no text twice."""
    return covering(
        document.text, document.passages, lambda start, end: [Passage(start, end, "text")]
    )
