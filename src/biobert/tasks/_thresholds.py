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
    ranked, right = scores[order], np.cumsum(gold[order])
    f1 = 2 * right / (np.arange(1, len(right) + 1) + gold.sum() + missed)
    # Equal scores are taken together.
    f1[:-1][ranked[:-1] == ranked[1:]] = -1.0
    best = int(np.argmax(f1))
    following = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    halfway = float((ranked[best] + following) / 2)
    # Between two neighbouring floats there is nothing.
    return halfway if halfway > following else float(ranked[best])
