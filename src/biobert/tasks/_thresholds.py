"""The probability from which an answer is given, chosen on development data."""

import numpy as np
import numpy.typing as npt

from biobert.core.task import FloatArray

BoolArray = npt.NDArray[np.bool_]
THRESHOLD = 0.5
"""What holds where nothing is chosen."""


def best_threshold(scores: FloatArray, gold: BoolArray, *, missed: int = 0) -> float:
    """The threshold on scores (n,) with the best F1 against gold (n,), 0.5 where nothing is gold.

    `missed` counts gold that has no score. The threshold stands halfway between the last score that
    is taken and the next; of equal ones the highest.
    """
    if not gold.any():
        return THRESHOLD
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(gold[order])
    f1 = 2 * right / (np.arange(1, len(right) + 1) + gold.sum() + missed)
    return _best_cut(scores[order], f1)


def best_total(scores: FloatArray, gains: FloatArray) -> float:
    """The threshold on scores (n,) by which the gains (n,) of what is taken add up to most.

    It stands as `best_threshold` has it, above all scores where nothing is worth taking.
    """
    order = np.argsort(-scores, kind="stable")
    totals = np.append(0.0, np.cumsum(gains[order]))
    return _best_cut(np.append(1.0, scores[order]), totals)


def _best_cut(ranked: FloatArray, worth: FloatArray) -> float:
    """Where to cut scores (n,), highest first, by what it is worth to take so many (n,)."""
    # Equal scores are taken together.
    worth[:-1][ranked[:-1] == ranked[1:]] = -np.inf
    best = int(np.argmax(worth))
    following = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    halfway = float((ranked[best] + following) / 2)
    # Between two neighbouring floats there is nothing.
    return halfway if halfway > following else float(ranked[best])
