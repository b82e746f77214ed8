"""Batches for vectors: rows that belong together always stand in the same batch."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from biobert.core.task import ANCHOR, POSITIVE
from biobert.training.batches import Batch, Row, epoch_batches
from biobert.training.recipe import BatchSettings
from biobert.training.sources import DocumentSource, EpochPlan


def with_partners(rows: Sequence[Row], head: str) -> list[Row]:
    """The rows, and where a group has anchors alone each of them once more, as its own positive.

    The same text twice under different dropout is the whole supervision of unsupervised SimCSE (Gao
    et al. 2021, arXiv:2104.08821, section 3).
    """
    paired = {group for group, role in (_place(row, head) for row in rows) if role != ANCHOR}
    twins = [
        Row(row.window, {**row.targets, head: np.array([group, POSITIVE])})
        for row in rows
        for group, _ in [_place(row, head)]
        if group not in paired
    ]
    return [*rows, *twins]


class GroupSource:
    """The batches of another source, filled by groups of rows; `batches.tokens` holds about."""

    def __init__(
        self, source: DocumentSource, head: str, *, batches: BatchSettings, seed: int
    ) -> None:
        members: defaultdict[int, list[int]] = defaultdict(list)
        for number, row in enumerate(source.rows):
            members[_place(row, head)[0]].append(number)
        self._source = source
        self._groups = [np.array(some) for some in members.values()]
        self._slots = [_slots(source.rows, some) for some in self._groups]
        self._batches = batches
        self._seed = seed

    def plan(self, epoch: int, *, step: int) -> EpochPlan:
        """All groups, shuffled; an epoch looks the same whenever it begins."""
        del step
        generator = np.random.default_rng((self._seed, epoch))
        groups = epoch_batches(self._slots, self._batches, generator)
        return EpochPlan([np.concatenate([self._groups[one] for one in some]) for some in groups])

    def count(self, epoch: int) -> int:
        """How many batches the epoch has."""
        return len(list(self.plan(epoch, step=0).keys))

    def batch(self, key: np.ndarray, generator: np.random.Generator) -> Batch:
        """The padded rows of some groups."""
        return self._source.batch(key, generator)

    def place(self, key: np.ndarray) -> str:
        """The numbers of the first rows, and the length of the longest."""
        return self._source.place(key)


def _place(row: Row, head: str) -> tuple[int, int]:
    group, role = row.targets[head].tolist()
    return int(group), int(role)


def _slots(rows: Sequence[Row], group: np.ndarray) -> int:
    return len(group) * max(len(rows[number].window) for number in group.tolist())
