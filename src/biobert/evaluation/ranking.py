"""Scores of ranked answers: how near the top the right one stands."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from biobert.core.task import FloatArray, IntArray, Score, Scores

BLOCK_ROWS = 512
"""So many questions are compared with all candidates at a time."""
DEPTHS = (1, 10)


def ranks(questions: FloatArray, candidates: FloatArray, answers: IntArray) -> IntArray:
    """(n,) place of each question's answer among all candidates by cosine, from 1.

    `questions` (n, size), `candidates` (m, size), `answers` (n,) row numbers of candidates. A tie
    counts against the answer, so that vectors which are all alike score nothing.
    """
    wanted, known = unit_vectors(questions), unit_vectors(candidates)
    found = np.empty(len(wanted), dtype=np.int64)
    for start in range(0, len(wanted), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        cosines = wanted[block] @ known.T
        own = np.take_along_axis(cosines, answers[block, None], axis=1)
        found[block] = (cosines >= own).sum(axis=1)
    return found


def score_ranks(found: IntArray | Sequence[int], *, candidates: int) -> Scores:
    """The mean reciprocal rank (`main`); recall at 1 and at 10 and the median rank in `details`.

    Recall at k is the share of questions whose answer is among the first k. `micro` says how many
    questions there are, and no more.
    """
    places = np.asarray(found, dtype=np.float64)
    reciprocal = float((1.0 / places).mean()) if len(places) else 0.0
    details = {
        f"recall_at_{depth}": float((places <= depth).mean()) if len(places) else 0.0
        for depth in DEPTHS
    }
    median = float(np.median(places)) if len(places) else 0.0
    amounts = {"median_rank": median, "candidates": candidates}
    return Scores(
        reciprocal,
        Score(0.0, 0.0, 0.0, len(places)),
        by_label={},
        details={**details, "mrr": reciprocal, **amounts},
        amounts=frozenset(amounts),
    )


def unit_vectors(vectors: FloatArray) -> npt.NDArray[np.float64]:
    """The same directions, of length 1; a vector of nothing but zeros stays one."""
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=-1, keepdims=True)
    unit: npt.NDArray[np.float64] = wide / np.maximum(lengths, 1e-12)
    return unit
