"""Texts in which the two ends of a possible relation are marked, with the way back to the document.

`markers` puts `<<` `>>` round the mentions of the first argument and `[[` `]]` round those of the
second (entity markers of Baldini Soares et al. 2019, arXiv:1906.03158, in characters that every
vocabulary has). `anonymous` puts `@TYPE$` in their place, as BioBERT does (Lee et al. 2020,
doi:10.1093/bioinformatics/btz682); where the two overlap, one `@TYPE-TYPE$` stands for both. Of a
blinded mention the encoder reads the type alone.
"""

from bisect import bisect_left
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
AFTER_ALL = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Marked:
    """One argument: where it is mentioned, and the type that stands for it when anonymous."""

    spans: tuple[Span, ...]
    type: str


@dataclass(frozen=True, slots=True)
class Blinded:
    """A mention, and the word that the encoder reads instead."""

    span: Span
    word: str


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
        following = np.where(self.starts < 0, AFTER_ALL, self.starts)
        following = np.minimum.accumulate(np.append(following, AFTER_ALL)[::-1])[::-1]
        preceding = np.maximum.accumulate(np.append(NOWHERE, self.ends))
        # A blank that is a token of its own stands at [p, p), even before or behind all characters.
        found = np.stack([following[offsets[:, 0]], preceding[offsets[:, 1]]], axis=1)
        found[found[:, 0] >= found[:, 1]] = NOWHERE
        return found


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the text for the encoder in place of [start, end) of the document, or put in there
    where these are equal. It may mark one argument or both; a copied one stands for itself."""

    text: str
    start: int
    end: int
    marks: tuple[int, ...] = ()
    is_copied: bool = False


def mentions_of(entities: Sequence[Entity]) -> tuple[Span, ...]:
    """Where mentions stand: the fragments of a discontinuous one; overlapping ones become one."""
    spans = (span for one in entities for span in one.fragments or (Span(one.start, one.end),))
    return tuple(merged(spans))


def mark(
    text: str,
    stretches: Sequence[Span],
    arguments: tuple[Marked, Marked],
    marking: Marking,
    blinded: Sequence[Blinded] = (),
) -> MarkedText:
    """The stretches of the text, in order, with their mentions of the two arguments marked.

    `blinded` stand in text order and apart; one with a marker inside stays visible.
    """
    parts: list[_Part] = []
    for number, stretch in enumerate(stretches):
        position = stretch.start
        if number:
            parts.append(_Part(BETWEEN, position, position))
        put_in = (
            _markers(stretch, arguments) if marking == "markers" else _names(stretch, arguments)
        )
        for part in put_in:
            parts += _read(text, position, part.start, blinded)
            parts.append(part)
            position = part.end
        parts += _read(text, position, stretch.end, blinded)
    return _joined(parts)


def _joined(parts: Sequence[_Part]) -> MarkedText:
    starts, ends = [], []
    marks: tuple[list[int], list[int]] = ([], [])
    length = 0
    for part in parts:
        count = len(part.text)
        if part.is_copied:
            starts.append(np.arange(part.start, part.end))
            ends.append(np.arange(part.start, part.end) + 1)
        else:
            is_put_in = part.start == part.end
            starts.append(np.full(count, NOWHERE if is_put_in else part.start))
            ends.append(np.full(count, NOWHERE if is_put_in else part.end))
        for argument in part.marks:
            marks[argument].append(length + count - len(part.text.lstrip()))
        length += count
    return MarkedText(
        "".join(part.text for part in parts),
        np.concatenate(starts).astype(np.int64),
        np.concatenate(ends).astype(np.int64),
        (tuple(marks[0]), tuple(marks[1])),
    )


def _read(text: str, start: int, end: int, blinded: Sequence[Blinded]) -> Iterator[_Part]:
    """The text from start to end as it is, but for what is blinded in it."""
    first, last = (
        bisect_left(blinded, place, key=lambda one: one.span.start) for place in (start, end)
    )
    for one in blinded[first:last]:
        if one.span.end <= end:
            yield from _copied(text, start, one.span.start)
            yield _Part(one.word, one.span.start, one.span.end)
            start = one.span.end
    yield from _copied(text, start, end)


def _copied(text: str, start: int, end: int) -> Iterator[_Part]:
    if start < end:
        yield _Part(text[start:end], start, end, is_copied=True)


def _markers(stretch: Span, arguments: tuple[Marked, Marked]) -> Iterator[_Part]:
    """Markers in text order; at one place what ends stands before what begins, and inner markers
    inside outer ones."""
    places: list[tuple[int, tuple[int, int, int], str, tuple[int, ...]]] = []
    for number, (opening, closing) in enumerate(MARKERS):
        for span in _inside(arguments[number], stretch):
            places.append((span.start, (1, -span.end, number), opening, (number,)))
            places.append((span.end, (0, -span.start, -number), closing, ()))
    for place, _, marker, marks in sorted(places):
        yield _Part(marker, place, place, marks)


def _names(stretch: Span, arguments: tuple[Marked, Marked]) -> Iterator[_Part]:
    """The types in place of the mentions, in text order."""
    spans = [_inside(argument, stretch) for argument in arguments]
    for place in merged(spans[0] + spans[1]):
        own = tuple(
            number
            for number, some in enumerate(spans)
            if any(one.start < place.end and one.end > place.start for one in some)
        )
        names = dict.fromkeys(arguments[number].type for number in own)
        yield _Part(f"@{'-'.join(names)}$", place.start, place.end, own)


def _inside(argument: Marked, stretch: Span) -> list[Span]:
    return [
        span for span in argument.spans if stretch.start <= span.start and span.end <= stretch.end
    ]
