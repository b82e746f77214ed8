"""Grouping rows of unequal length so that little is padded."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def length_sorted_batches(
    lengths: Sequence[int] | npt.NDArray[np.int64], *, token_budget: int
) -> list[npt.NDArray[np.int64]]:
    """Row numbers in batches of similar length, longest first.

    Each batch times its longest row stays within `token_budget` slots; a longer row stands alone.
    Longest first, so that memory peaks at the start and the last batches are the cheap ones.
    """
    order = np.argsort(-np.asarray(lengths), kind="stable")
    batches: list[npt.NDArray[np.int64]] = []
    start = 0
    while start < len(order):
        rows = max(1, token_budget // max(1, int(lengths[order[start]])))
        batches.append(order[start : start + rows])
        start += rows
    return batches


def pad_rows(rows: Sequence[npt.NDArray[np.int64]], *, value: int) -> npt.NDArray[np.int64]:
    """Rows of unequal length as one (rows, longest, ...) array, filled with `value`."""
    longest = max(len(row) for row in rows)
    padded = np.full((len(rows), longest, *rows[0].shape[1:]), value, dtype=np.int64)
    for number, row in enumerate(rows):
        padded[number, : len(row)] = row
    return padded
