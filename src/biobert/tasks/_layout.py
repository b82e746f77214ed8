"""Rows of segments as arrays: one row each, or several packed into one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biobert.core.task import IGNORED, IntArray
from biobert.data.shards import TokenShard
from biobert.tasks._segments import DIFFERS, Segments


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """The ids of the special tokens that a row is made with."""

    pad: int
    cls: int
    sep: int


@dataclass(frozen=True, slots=True, eq=False)
class LaidOut:
    """(rows, length) arrays of what stands where, before anything is hidden.

    `sequence_ids` numbers the sequences of a row from 1, 0 is padding; `positions` begin anew with
    each; `inside` is False for special tokens and padding; `tags` is 0 without tags.
    `first_places` (sequences,) are the first tokens, counted over the flattened rows, and `labels`
    (sequences,) the sequences' pair labels.
    """

    token_ids: IntArray
    segment_ids: IntArray
    sequence_ids: IntArray
    positions: IntArray
    inside: npt.NDArray[np.bool_]
    tags: npt.NDArray[np.uint8]
    first_places: IntArray
    labels: IntArray


class SegmentPool:
    """The segments of several shards under one numbering."""

    def __init__(self, shards: Sequence[TokenShard], segments: Sequence[Segments]) -> None:
        self.shards = shards
        self.lengths = np.concatenate([one.lengths for one in segments])
        self.labels = np.concatenate([one.label for one in segments])
        self._shard = np.repeat(np.arange(len(segments)), [len(one) for one in segments])
        self._ranges = np.concatenate(
            [
                np.stack([s.first_start, s.first_stop, s.second_start, s.second_stop], axis=1)
                for s in segments
            ]
        )

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def strangers(self) -> float | None:
        """The share of the pairs that are not one stretch of text; None without pairs."""
        pairs = self.labels[self.labels != IGNORED]
        return float((pairs == DIFFERS).mean()) if len(pairs) else None

    def parts(self, number: int) -> tuple[TokenShard, list[slice]]:
        """The shard of a sequence, and its one or two segments in it."""
        start, stop, second_start, second_stop = self._ranges[number].tolist()
        parts = [slice(start, stop)]
        if second_stop > second_start:
            parts.append(slice(second_start, second_stop))
        return self.shards[int(self._shard[number])], parts


def lay_out(pool: SegmentPool, rows: Sequence[IntArray], borders: SpecialIds) -> LaidOut:
    """Arrays of the pool's sequences; each of `rows` lists the sequences that share a row."""
    shape = len(rows), max(int(pool.lengths[row].sum()) for row in rows)
    ids = np.full(shape, borders.pad, dtype=np.int64)
    segments, sequences, positions = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    tags = np.zeros(shape, dtype=np.uint8)
    inside = np.zeros(shape, dtype=np.bool_)
    first_places: list[int] = []
    for row, numbers in enumerate(rows):
        start = 0
        for order, number in enumerate(numbers.tolist(), start=1):
            shard, parts = pool.parts(number)
            first_places.append(row * shape[1] + start)
            ids[row, start] = borders.cls
            at = start + 1
            for second, part in enumerate(parts):
                stop = at + part.stop - part.start
                ids[row, at:stop] = shard.tokens[part]
                ids[row, stop] = borders.sep
                inside[row, at:stop] = True
                if second:
                    segments[row, at : stop + 1] = 1
                if shard.tags is not None:
                    tags[row, at:stop] = shard.tags[part]
                at = stop + 1
            sequences[row, start:at] = order
            positions[row, start:at] = np.arange(at - start)
            start = at
    labels = pool.labels[np.concatenate(list(rows))]
    return LaidOut(
        ids, segments, sequences, positions, inside, tags, np.array(first_places), labels
    )
