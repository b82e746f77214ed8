"""Spans of words as answers: their probabilities in a window, and the best of all windows.

A window says of every token how likely the answer begins and ends there; place 0, the first token,
says that it holds no answer (Devlin et al. 2019, arXiv:1810.04805, section 4.3). The logits of a
window are known but for a constant, so windows are compared by log-probabilities.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from biobert.core.probabilities import log_softmax
from biobert.core.task import FloatArray, IntArray, Window

Neighbours = Literal["apart", "any"]


@dataclass(frozen=True, slots=True, eq=False)
class SpanTable:
    """The answers of one window: `scores[f, l]` is the log-probability of words f to l.

    `starts` and `ends` are the characters of the words; `nothing` is the log-probability that the
    window holds no answer. A span that cannot be an answer has -inf.
    """

    starts: IntArray
    ends: IntArray
    scores: FloatArray
    nothing: float


@dataclass(frozen=True, slots=True)
class FoundSpan:
    """Characters [start, end) and the log-probability of being the answer."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class WordPlaces:
    """The words of a window's second text: places of first and last pieces, their characters."""

    first: IntArray
    last: IntArray
    starts: IntArray
    ends: IntArray


def word_places(window: Window) -> WordPlaces:
    """The words of the second text that stand in the window; a word that is cut ends there.

    Blanks that are tokens of their own are no words.
    """
    inside = (window.segment_ids == 1) & (window.words >= 0)
    change = np.empty(len(window) + 1, dtype=np.bool_)
    change[0] = change[-1] = True
    change[1:-1] = window.words[1:] != window.words[:-1]
    first = np.flatnonzero(inside & change[:-1])
    last = np.flatnonzero(inside & change[1:])
    kept = window.offsets[last, 1] > window.offsets[first, 0]
    first, last = first[kept], last[kept]
    return WordPlaces(first, last, window.offsets[first, 0], window.offsets[last, 1])


def span_table(window: Window, logits: FloatArray, *, maximum_tokens: int) -> SpanTable:
    """The answers that begin in the stretch the window owns, from logits (length, 2)."""
    words = word_places(window)
    begins, stops = log_softmax(logits.T)
    scores = begins[words.first][:, None] + stops[words.last][None, :]
    tokens = words.last[None, :] - words.first[:, None] + 1
    scores[(tokens < 1) | (tokens > maximum_tokens)] = -np.inf
    own = window.owned
    scores[(words.first < own.start) | (words.first >= own.stop)] = -np.inf
    return SpanTable(words.starts, words.ends, scores, float(begins[0] + stops[0]))


def no_answer_score(tables: Sequence[SpanTable]) -> float:
    """The log-probability that no window holds an answer: that of the window least sure of it."""
    return min(table.nothing for table in tables)


def total_score(tables: Sequence[SpanTable]) -> float:
    """The logarithm of the sum over all answers of all windows, none among them."""
    scores = [no_answer_score(tables), *(_log_sum(table.scores) for table in tables)]
    return float(np.logaddexp.reduce(scores))


def best_spans(
    tables: Sequence[SpanTable], *, count: int, neighbours: Neighbours
) -> Iterator[FoundSpan]:
    """The `count` likeliest spans, best first, no span twice; `apart` ones do not overlap."""
    left = [table.scores.copy() for table in tables]
    for _ in range(count):
        peaks = [float(scores.max(initial=-np.inf)) for scores in left]
        number = int(np.argmax(peaks))
        if peaks[number] == -np.inf:
            return
        row, column = np.unravel_index(int(np.argmax(left[number])), left[number].shape)
        start, end = int(tables[number].starts[row]), int(tables[number].ends[column])
        yield FoundSpan(start, end, peaks[number])
        for table, scores in zip(tables, left, strict=True):
            if neighbours == "apart":
                rows, columns = table.starts < end, table.ends > start
            else:
                rows, columns = table.starts == start, table.ends == end
            scores[np.ix_(rows, columns)] = -np.inf


def _log_sum(scores: FloatArray) -> float:
    peak = float(scores.max(initial=-np.inf))
    if peak == -np.inf:
        return peak
    return peak + float(np.log(np.exp(scores - peak).sum()))
