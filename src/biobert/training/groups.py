"""Batches for vectors: rows that belong together always stand in the same batch.

Rows of one document stand in a row, anchors before positives before negatives. Equal texts are one
group, and so never each other's strangers, in whatever batches they stand.
"""

from collections.abc import Sequence

import numpy as np

from biobert.core.task import ANCHOR, POSITIVE
from biobert.training.batches import Batch, Row, epoch_batches
from biobert.training.recipe import BatchSettings
from biobert.training.sources import DocumentSource, EpochPlan

MOST_WINDOWS = 8
"""Of a passage in an epoch: a whole article would fill the memory."""


def each_once(rows: Sequence[Row], head: str) -> list[Row]:
    """The rows without those of texts that were there before: a sentence which a thousand articles
    share teaches no more than once."""
    known: set[int] = set()
    kept: list[Row] = []
    for unit in _units(rows, head):
        group, _ = _place(rows[unit[0]], head)
        kept += [rows[number] for number in unit.tolist() if group not in known]
        known.add(group)
    return kept


def with_partners(rows: Sequence[Row], head: str) -> list[Row]:
    """The rows, and where a group has anchors alone each of them once more, as its own positive.

    The same text twice under different dropout is the whole supervision of unsupervised SimCSE (Gao
    et al. 2021, arXiv:2104.08821, section 3).
    """
    paired = {group for group, role in (_place(row, head) for row in rows) if role != ANCHOR}
    found: list[Row] = []
    for row in rows:
        group, _ = _place(row, head)
        found.append(row)
        if group not in paired:
            twin = {**row.targets, head: np.array([group, POSITIVE])}
            found.append(Row(row.window, twin))
    return found


class GroupSource:
    """The batches of another source, filled by documents; `batches.tokens` holds about.

    Of a passage with many windows some are drawn, others in each epoch.
    """

    def __init__(
        self, source: DocumentSource, head: str, *, batches: BatchSettings, seed: int
    ) -> None:
        self._source = source
        self._units = [_passages(source.rows, head, unit) for unit in _units(source.rows, head)]
        self._slots = [_slots(source.rows, passages) for passages in self._units]
        self._batches = batches
        self._seed = seed

    def plan(self, epoch: int, *, step: int) -> EpochPlan:
        """All documents, shuffled; an epoch looks the same whenever it begins."""
        del step
        generator = np.random.default_rng((self._seed, epoch))
        batches = epoch_batches(self._slots, self._batches, generator)
        return EpochPlan([self._rows_of(batch, generator) for batch in batches])

    def count(self, epoch: int) -> int:
        """How many batches the epoch has."""
        return len(list(self.plan(epoch, step=0).keys))

    def batch(self, key: np.ndarray, generator: np.random.Generator) -> Batch:
        """The padded rows of some documents."""
        return self._source.batch(key, generator)

    def place(self, key: np.ndarray) -> str:
        """The numbers of the first rows, and the length of the longest."""
        return self._source.place(key)

    def _rows_of(self, batch: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        passages = [one for number in batch.tolist() for one in self._units[number]]
        return np.concatenate([_drawn(one, generator) for one in passages])


def _place(row: Row, head: str) -> tuple[int, int]:
    group, role = row.targets[head].tolist()
    return int(group), int(role)


def _units(rows: Sequence[Row], head: str) -> list[np.ndarray]:
    """The numbers of each document's rows; where their roles go back, an equal one begins."""
    places = np.array([_place(row, head) for row in rows]).reshape(-1, 2)
    groups, roles = places.T
    begins = np.flatnonzero((groups[1:] != groups[:-1]) | (roles[1:] < roles[:-1])) + 1
    return np.split(np.arange(len(rows)), begins) if rows else []


def _passages(rows: Sequence[Row], head: str, unit: np.ndarray) -> list[np.ndarray]:
    """The numbers of a document's rows, parted by their roles."""
    roles = np.array([_place(rows[number], head)[1] for number in unit.tolist()])
    return np.split(unit, np.flatnonzero(roles[1:] != roles[:-1]) + 1)


def _drawn(passage: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    if len(passage) <= MOST_WINDOWS:
        return passage
    return np.sort(generator.choice(passage, MOST_WINDOWS, replace=False))


def _slots(rows: Sequence[Row], passages: Sequence[np.ndarray]) -> int:
    longest = max(len(rows[number].window) for passage in passages for number in passage.tolist())
    return longest * sum(min(len(passage), MOST_WINDOWS) for passage in passages)
