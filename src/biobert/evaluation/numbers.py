"""Scores of predicted numbers: how they rise and fall with the gold ones."""

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from biobert.core.errors import MissingExtraError
from biobert.core.task import Score, Scores


def score_numbers(gold: Sequence[float], predicted: Sequence[float]) -> Scores:
    """Pearson's correlation (`main`), Spearman's, and the mean squared error in `details`.

    A correlation with what never changes is 0. `micro` says how many there are, and no more.
    """
    if find_spec("scipy") is None:
        raise MissingExtraError("scipy", "train")
    from scipy.stats import pearsonr, spearmanr

    wanted, found = np.asarray(gold, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    pearson = spearman = 0.0
    if len(wanted) > 1 and np.ptp(wanted) > 0 and np.ptp(found) > 0:
        # Beyond twelve digits there is only the noise of summation.
        pearson = round(float(pearsonr(wanted, found).statistic), 12)
        spearman = round(float(spearmanr(wanted, found).statistic), 12)
    error = float(np.mean((wanted - found) ** 2)) if len(wanted) else 0.0
    details = {"pearson": pearson, "spearman": spearman, "mean_squared_error": error}
    micro = Score(0.0, 0.0, 0.0, len(wanted))
    return Scores(pearson, micro, {}, details, amounts=frozenset({"mean_squared_error"}))
