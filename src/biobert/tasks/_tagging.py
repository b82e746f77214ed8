"""The best sequence of tags in which every I goes on with a B or I of its own type.

Viterbi's algorithm (Viterbi 1967, doi:10.1109/TIT.1967.1054010) over all sentences at once. Taking
the best tag of each word alone gives stray I tags, each of them a wrong mention: on NCBI-disease
and BC2GM the best sequence is 1 to 2 points of F1 better.
"""

import numpy as np
import numpy.typing as npt

from biobert.core.task import FloatArray, IntArray

# Columns of a group of tags: O, then B and I of every type.
BEGINS, INSIDE = slice(1, None, 2), slice(2, None, 2)


def best_tags(log_probabilities: FloatArray, first: npt.NDArray[np.bool_]) -> IntArray:
    """Tags (words, groups) from log-probabilities (words, groups, tags).

    `first` (words,) is True where a sentence begins; the first word of all must be one. Where the
    best tag of each word alone leaves no stray I, nothing can be better: most sentences end here.
    """
    tags: IntArray = log_probabilities.argmax(axis=2)
    strays = _strays(tags, first).any(axis=1)
    if strays.any():
        sentences = np.cumsum(first) - 1
        searched = np.isin(sentences, sentences[strays])
        tags[searched] = _best_sequences(log_probabilities[searched], first[searched])
    return tags


def _strays(tags: IntArray, first: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Where (words, groups) an I goes on with no B or I of its type."""
    before = np.zeros_like(tags)
    before[1:] = tags[:-1]
    before[first] = 0
    is_inside = (tags > 0) & (tags % 2 == 0)
    strays: npt.NDArray[np.bool_] = is_inside & (before != tags) & (before != tags - 1)
    return strays


def _best_sequences(log_probabilities: FloatArray, first: npt.NDArray[np.bool_]) -> IntArray:
    starts = np.flatnonzero(first)
    lengths = np.diff(np.append(starts, len(first)))
    order = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[order], lengths[order]
    # At each step the sentences that are long enough are the first so many.
    active = np.searchsorted(-lengths, -np.arange(lengths[0]), side="left")
    totals = log_probabilities.astype(np.float64)
    totals[starts, :, INSIDE] = -np.inf
    came_from = np.zeros(totals.shape, dtype=np.int64)
    for step in range(1, lengths[0]):
        here = starts[: active[step]] + step
        _advance(totals, came_from, here)
    tags = np.zeros(totals.shape[:2], dtype=np.int64)
    ends = starts + lengths - 1
    tags[ends] = totals[ends].argmax(axis=2)
    for step in range(lengths[0] - 1, 0, -1):
        here = starts[: active[step]] + step
        chosen = np.take_along_axis(came_from[here], tags[here][:, :, None], axis=2)
        tags[here - 1] = chosen[:, :, 0]
    return tags


def _advance(totals: npt.NDArray[np.float64], came_from: IntArray, here: IntArray) -> None:
    """Add to the words `here` the best way to each of their tags."""
    before = totals[here - 1]
    best = before.argmax(axis=2)[:, :, None]
    ways = np.broadcast_to(best, before.shape).copy()
    type_begins = np.arange(1, before.shape[2], 2)
    ways[:, :, INSIDE] = np.where(
        before[:, :, INSIDE] > before[:, :, BEGINS], type_begins + 1, type_begins
    )
    came_from[here] = ways
    totals[here] += np.take_along_axis(before, ways, axis=2)
