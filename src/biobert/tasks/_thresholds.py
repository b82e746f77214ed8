"""The probability from which an answer is given, chosen on development data."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from biobert.core.task import FloatArray

BoolArray = npt.NDArray[np.bool_]
THRESHOLD = 0.5
"""What holds where nothing is chosen."""
FOLDS = 5


def best_thresholds(scores: FloatArray, gold: BoolArray) -> FloatArray:
    """Thresholds (labels,) on scores (n, labels), by micro F1: one for all labels or one for each.

    A threshold that few examples of a label chose holds for these alone, so each label has its own
    only where that is better on fifths of the rows which had no say in it.
    """
    own, shared = (_held_out_f1(scores, gold, choose) for choose in (_for_each, _for_all))
    return _for_each(scores, gold) if own > shared else _for_all(scores, gold)


def _for_each(scores: FloatArray, gold: BoolArray) -> FloatArray:
    return np.array([best_threshold(*columns) for columns in zip(scores.T, gold.T, strict=True)])


def _for_all(scores: FloatArray, gold: BoolArray) -> FloatArray:
    return np.full(scores.shape[1], best_threshold(scores.ravel(), gold.ravel()))


def _held_out_f1(
    scores: FloatArray, gold: BoolArray, choose: Callable[[FloatArray, BoolArray], FloatArray]
) -> float:
    """Micro F1 of answers whose thresholds were chosen without them."""
    answers = np.zeros_like(gold)
    fold = np.arange(len(scores)) % FOLDS
    for number in range(FOLDS):
        own = fold == number
        answers[own] = scores[own] >= choose(scores[~own], gold[~own])
    return 2.0 * float((answers & gold).sum()) / max(1, int(answers.sum() + gold.sum()))


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
