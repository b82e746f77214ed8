"""Texts in which the two ends of a possible relation are marked, with the way back to the document.

`markers` puts `<<` `>>` round the mentions of the first argument and `[[` `]]` round those of the
second (entity markers of Baldini Soares et al. 2019, arXiv:1906.03158, in characters that every
vocabulary has). `anonymous` puts `@TYPE$` in their place, as BioBERT does (Lee et al. 2020,
doi:10.1093/bioinformatics/btz682); where the two overlap, one `@TYPE-TYPE$` stands for both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from biobert.core.document import Entity, Span
from biobert.core.task import IntArray
from biobert.tasks._candidates import merged

Marking = Literal["anonymous", "markers"]
MARKERS = ((" << ", " >> "), (" [[ ", " ]] "))
BETWEEN = " "
"""What stands between stretches that do not adjoin in the document."""
NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Marked:
    """One argument: where it is mentioned, and the type that stands for it when anonymous."""

    spans: tuple[Span, ...]
    type: str


@dataclass(frozen=True, slots=True, eq=False)
class MarkedText:
    """A text for the encoder. `starts`, `ends` (characters,): what of the document stands behind
    each character, -1 for one that was put in. `marks`: where marks of each argument begin."""

    text: str
    starts: IntArray
    ends: IntArray
    marks: tuple[tuple[int, ...], tuple[int, ...]]

    def origins(self, offsets: IntArray) -> IntArray:
        """(n, 2) places in this text to places in the document; (-1, -1) for what was put in."""
        if not len(offsets):
            return offsets
        following = np.where(self.starts < 0, np.iinfo(np.int64).max, self.starts)
        following = np.minimum.accumulate(following[::-1])[::-1]
        preceding = np.maximum.accumulate(self.ends)
        found = np.stack([following[offsets[:, 0]], preceding[offsets[:, 1] - 1]], axis=1)
        found[found[:, 0] >= found[:, 1]] = NOWHERE
        return found


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the text for the encoder, standing for [start, end) of the document or nothing.

    A part that was put in may mark one argument or both.
    """

    text: str
    start: int
    end: int
    marks: tuple[int, ...] = ()


def mentions_of(entities: Sequence[Entity]) -> tuple[Span, ...]:
    """Where mentions stand: the fragments of a discontinuous one; overlapping ones become one."""
    spans = (span for one in entities for span in one.fragments or (Span(one.start, one.end),))
    return tuple(merged(spans))


def mark(
    text: str, stretches: Sequence[Span], arguments: tuple[Marked, Marked], marking: Marking
) -> MarkedText:
    """The stretches of the text, in order, with their mentions of the two arguments marked."""
    parts: list[_Part] = []
    for stretch in stretches:
        if parts:
            parts.append(_Part(BETWEEN, NOWHERE, NOWHERE))
        if marking == "markers":
            parts += _with_markers(text, stretch, arguments)
        else:
            parts += _anonymous(text, stretch, arguments)
    return _joined(parts)


def _joined(parts: Sequence[_Part]) -> MarkedText:
    starts, ends = [], []
    marks: tuple[list[int], list[int]] = ([], [])
    length = 0
    for part in parts:
        count = len(part.text)
        is_copied = part.start != NOWHERE and part.end - part.start == count and not part.marks
        shift = np.arange(count) if is_copied else 0
        starts.append(np.full(count, part.start) + shift)
        ends.append(np.full(count, part.end) if not is_copied else part.start + shift + 1)
        for argument in part.marks:
            marks[argument].append(length + count - len(part.text.lstrip()))
        length += count
    return MarkedText(
        "".join(part.text for part in parts),
        np.concatenate(starts).astype(np.int64),
        np.concatenate(ends).astype(np.int64),
        (tuple(marks[0]), tuple(marks[1])),
    )


def _with_markers(text: str, stretch: Span, arguments: tuple[Marked, Marked]) -> Iterator[_Part]:
    position = stretch.start
    for place, _, marker, marks in _marker_places(stretch, arguments):
        if position < place:
            yield _Part(text[position:place], position, place)
            position = place
        yield _Part(marker, NOWHERE, NOWHERE, marks)
    if position < stretch.end:
        yield _Part(text[position : stretch.end], position, stretch.end)


def _marker_places(
    stretch: Span, arguments: tuple[Marked, Marked]
) -> list[tuple[int, tuple[int, int, int], str, tuple[int, ...]]]:
    """Place, order, marker and mark of everything that is put in; at one place what ends stands
    before what begins, and inner marks inside outer ones."""
    places: list[tuple[int, tuple[int, int, int], str, tuple[int, ...]]] = []
    for number, (opening, closing) in enumerate(MARKERS):
        for span in _inside(arguments[number], stretch):
            places.append((span.start, (1, -span.end, number), opening, (number,)))
            places.append((span.end, (0, -span.start, -number), closing, ()))
    return sorted(places)


def _anonymous(text: str, stretch: Span, arguments: tuple[Marked, Marked]) -> Iterator[_Part]:
    spans = [_inside(argument, stretch) for argument in arguments]
    position = stretch.start
    for place in merged(spans[0] + spans[1]):
        if position < place.start:
            yield _Part(text[position : place.start], position, place.start)
        own = tuple(
            number
            for number, some in enumerate(spans)
            if any(one.start < place.end and one.end > place.start for one in some)
        )
        names = dict.fromkeys(arguments[number].type for number in own)
        yield _Part(f"@{'-'.join(names)}$", place.start, place.end, own)
        position = place.end
    if position < stretch.end:
        yield _Part(text[position : stretch.end], position, stretch.end)


def _inside(argument: Marked, stretch: Span) -> list[Span]:
    return [
        span for span in argument.spans if stretch.start <= span.start and span.end <= stretch.end
    ]
