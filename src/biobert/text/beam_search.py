"""What a decoder would write: greedy search, and beam search over several beginnings.

The decoder is whatever tells the logits of what comes next, on any engine. Both searches find what
transformers' `generate` finds (its beam search with `early_stopping=False`), to which the tests
hold them; that one needs torch.
"""

from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from biobert.core.probabilities import log_softmax
from biobert.core.task import FloatArray, IntArray, WritingSettings

BoolArray = npt.NDArray[np.bool_]
T = TypeVar("T", np.bool_, np.int64)

NOT_YET = -1e9
"""Score of the beams that at first would all say the same."""


class Reading(Protocol):
    """Sources that a decoder has read, and remembers beside all that is written about them."""

    def following(self, pieces: IntArray, ancestors: BoolArray) -> FloatArray:
        """(sources, beams, vocabulary) logits of what follows the newest pieces (sources, beams).

        `ancestors` (sources, beams, pieces before): which of the pieces that it was told before, in
        order of the steps and in each of the beams, a piece goes on from.
        """
        ...


@dataclass(frozen=True, slots=True)
class TextEnds:
    """The pieces that a text begins and ends with."""

    first: int
    last: int


def written_ids(
    reading: Reading, sources: int, settings: WritingSettings, borders: TextEnds
) -> list[list[int]]:
    """The pieces of each source's text: up to `borders.last`, unless it was stopped before."""
    if settings.beams == 1:
        return _greedy(reading, sources, settings, borders)
    return _best_of_beams(reading, sources, settings, borders)


def _greedy(
    reading: Reading, sources: int, settings: WritingSettings, borders: TextEnds
) -> list[list[int]]:
    """The likeliest piece at every step."""
    ids = np.full((sources, 1, 1), borders.first, dtype=np.int64)
    ended = np.zeros((sources, 1), dtype=np.bool_)
    for length in range(settings.maximum_pieces):
        logits = reading.following(ids[..., -1], np.ones((sources, 1, length), dtype=np.bool_))
        pieces = _ruled(logits, ids, settings, borders.last).argmax(axis=-1)
        ids = np.concatenate([ids, pieces[..., None]], axis=-1)
        ended |= pieces == borders.last
        if ended.all():
            break
    return [_until(row, borders.last) for row in ids[:, 0, 1:].tolist()]


def _best_of_beams(
    reading: Reading, sources: int, settings: WritingSettings, borders: TextEnds
) -> list[list[int]]:
    beams = _Beams.at_first(sources, settings.beams, borders.first)
    endings = [_Endings(settings.beams) for _ in range(sources)]
    for length in range(1, settings.maximum_pieces + 1):
        logits = reading.following(beams.ids[..., -1], beams.ancestors)
        likely = _ruled(log_softmax(logits), beams.ids, settings, borders.last)
        # At most every beam ends here, so that as many go on.
        longer = beams.longer(likely, 2 * settings.beams)
        ends = longer.ids[..., -1] == borders.last
        if length == settings.maximum_pieces:
            ends[:] = True
        norm = length**settings.length_penalty
        for ending, scores, rows, over in zip(
            endings, longer.scores / norm, longer.ids, ends, strict=True
        ):
            # The second half only stands by, for those of the first that end.
            ending.add(scores, rows, np.flatnonzero(over[: settings.beams]))
        beams = longer.first_of(~ends, settings.beams)
        for ending, score in zip(endings, beams.scores[:, 0] / norm, strict=True):
            ending.close_unless(float(score))
        if not any(one.is_open for one in endings):
            break
    return [_until(one.best(), borders.last) for one in endings]


@dataclass(frozen=True, slots=True)
class _Beams:
    """Beginnings of each source's text, best first: `ids` (sources, beams, pieces), the sums of the
    logarithms of how likely they are, and the `ancestors` of what comes next."""

    ids: IntArray
    scores: FloatArray
    ancestors: BoolArray

    @classmethod
    def at_first(cls, sources: int, count: int, first: int) -> "_Beams":
        scores = np.zeros((sources, count), dtype=np.float32)
        scores[:, 1:] = NOT_YET
        return cls(
            np.full((sources, count, 1), first, dtype=np.int64),
            scores,
            np.zeros((sources, count, 0), dtype=np.bool_),
        )

    def longer(self, likely: FloatArray, count: int) -> "_Beams":
        """The best `count` beginnings with a piece more, from (sources, beams, vocabulary)."""
        sources, width, vocabulary = likely.shape
        totals = (likely + self.scores[..., None]).reshape(sources, -1)
        scores, places = _largest(totals, count)
        parents, pieces = np.divmod(places, vocabulary)
        newest = np.eye(width, dtype=np.bool_)[parents]
        return _Beams(
            np.concatenate([_taken(self.ids, parents), pieces[..., None]], axis=-1),
            scores,
            np.concatenate([_taken(self.ancestors, parents), newest], axis=-1),
        )

    def first_of(self, wanted: BoolArray, count: int) -> "_Beams":
        """The first `count` of each source that are wanted, and others only where these are few."""
        places = np.argsort(~wanted, axis=-1, kind="stable")[:, :count]
        scores = np.take_along_axis(self.scores, places, axis=1)
        return _Beams(_taken(self.ids, places), scores, _taken(self.ancestors, places))


@dataclass(slots=True)
class _Endings:
    """The best finished texts of one source, at most `room`; a closed one takes no more."""

    room: int
    found: list[tuple[float, IntArray]] = field(default_factory=list)
    is_open: bool = True

    def add(self, scores: FloatArray, rows: IntArray, places: IntArray) -> None:
        """Take the rows at these places, and leave what is no longer among the best."""
        if self.is_open:
            self.found += [(float(scores[place]), rows[place]) for place in places]
            self.found = sorted(self.found, key=lambda one: -one[0])[: self.room]

    def close_unless(self, possible: float) -> None:
        """Close it where the best that is not finished is no better than the worst that is."""
        if len(self.found) == self.room and possible <= self.found[-1][0]:
            self.is_open = False

    def best(self) -> list[int]:
        """Its pieces after the first."""
        row: list[int] = self.found[0][1][1:].tolist()
        return row


def _ruled(scores: FloatArray, ids: IntArray, settings: WritingSettings, last: int) -> FloatArray:
    """The scores (sources, beams, vocabulary) of what follows `ids`, by the rules of writing."""
    if settings.repetition_penalty != 1.0:
        known = np.take_along_axis(scores, ids, axis=-1)
        penalty = settings.repetition_penalty
        less = np.where(known < 0.0, known * penalty, known / penalty)
        np.put_along_axis(scores, ids, less, axis=-1)
    length, stretch = ids.shape[-1], settings.no_repeat
    if 0 < stretch <= length:
        stretches = np.lib.stride_tricks.sliding_window_view(ids, stretch, axis=-1)
        begun = ids[..., None, length + 1 - stretch :]
        again = (stretches[..., :-1] == begun).all(axis=-1)
        source, beam, place = np.nonzero(again)
        scores[source, beam, stretches[source, beam, place, -1]] = -np.inf
    if length <= settings.minimum_pieces:
        scores[..., last] = -np.inf
    return scores


def _largest(values: FloatArray, count: int) -> tuple[FloatArray, IntArray]:
    """The largest values of each row, in order, and their places; the values are changed.

    One after another: numpy finds a maximum 300 times as fast as it sorts or partitions.
    """
    rows = np.arange(len(values))
    found, places = [], []
    for _ in range(count):
        place = values.argmax(axis=1)
        places.append(place)
        found.append(values[rows, place])
        values[rows, place] = -np.inf
    return np.stack(found, axis=1), np.stack(places, axis=1)


def _taken(values: npt.NDArray[T], places: IntArray) -> npt.NDArray[T]:
    """Of each source (sources, beams, n) those of some beams."""
    return np.take_along_axis(values, places[..., None], axis=1)


def _until(row: list[int], last: int) -> list[int]:
    return row[: row.index(last) + 1] if last in row else row
