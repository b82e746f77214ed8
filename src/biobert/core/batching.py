"""Grouping rows of unequal length so that little is padded, and cutting outputs back to them."""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from biobert.core.task import HeadSpec, InputName, Outputs, Window


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


def packed_rows(
    lengths: Sequence[int] | npt.NDArray[np.int64], *, row_length: int
) -> list[npt.NDArray[np.int64]]:
    """Sequence numbers that share a row of at most `row_length` tokens; a longer one stands alone.

    Best fit, longest first: each sequence goes where it leaves the least room.
    """
    rows: list[list[int]] = []
    rooms: list[tuple[int, int]] = []  # (room left, row), in order of room
    sizes = np.asarray(lengths)
    for number in np.argsort(-sizes, kind="stable").tolist():
        size = int(sizes[number])
        place = bisect_left(rooms, (size, -1))
        if place == len(rooms):
            room, row = row_length, len(rows)
            rows.append([])
        else:
            room, row = rooms.pop(place)
        rows[row].append(number)
        insort(rooms, (room - size, row))
    return [np.array(row, dtype=np.int64) for row in rows]


def window_arrays(windows: Sequence[Window], *, pad_id: int = 0) -> dict[InputName, np.ndarray]:
    """What a network reads of a batch: (rows, length) ids, segments and mask; (rows, k) marks."""
    token_ids = pad_rows([window.token_ids for window in windows], value=pad_id)
    lengths = np.array([len(window) for window in windows])
    arrays: dict[InputName, np.ndarray] = {
        "token_ids": token_ids,
        "mask": np.arange(token_ids.shape[1])[None, :] < lengths[:, None],
        "segment_ids": pad_rows([window.segment_ids for window in windows], value=0),
    }
    if len(windows[0].marks):
        arrays["marks"] = np.stack([window.marks for window in windows])
    return arrays


def pad_rows(rows: Sequence[npt.NDArray[np.int64]], *, value: int) -> npt.NDArray[np.int64]:
    """Rows of unequal length as one (rows, longest, ...) array, filled with `value`."""
    longest = max(len(row) for row in rows)
    padded = np.full((len(rows), longest, *rows[0].shape[1:]), value, dtype=np.int64)
    for number, row in enumerate(rows):
        padded[number, : len(row)] = row
    return padded


def cut_outputs(
    heads: Sequence[HeadSpec], logits: Mapping[str, npt.NDArray[np.float32]], row: int, length: int
) -> Outputs:
    """The outputs of one row; those by token are cut to the window's own length."""
    return {
        head.name: logits[head.name][row, :length] if head.is_by_token else logits[head.name][row]
        for head in heads
    }
