"""Rows of a corpus as padded batches: shuffled, of similar length, the same for a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from biobert.core.batching import length_sorted_batches, pad_rows
from biobert.core.document import Document
from biobert.core.task import IGNORED, HeadSpec, Targets, Task, TextTokenizer, Window
from biobert.training.recipe import BatchSettings

POOL_BATCHES = 64
"""Rows are sorted by length within pools of about this many batches, so batches stay random."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A window and what it should answer."""

    window: Window
    targets: Targets


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Padded tensors: (rows, length) ids, segments and mask; targets by head."""

    token_ids: torch.Tensor
    segment_ids: torch.Tensor
    mask: torch.Tensor
    targets: dict[str, torch.Tensor]

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""
        return Batch(
            self.token_ids.to(device, non_blocking=True),
            self.segment_ids.to(device, non_blocking=True),
            self.mask.to(device, non_blocking=True),
            {name: value.to(device, non_blocking=True) for name, value in self.targets.items()},
        )


def encode_rows(task: Task, documents: Sequence[Document], tokenizer: TextTokenizer) -> list[Row]:
    """All windows of the documents with their targets."""
    examples = [example for document in documents for example in task.examples(document)]
    rows: list[Row] = []
    for example, windows in zip(examples, task.encode(examples, tokenizer), strict=True):
        targets = task.targets(example, windows)
        rows.extend(Row(*pair) for pair in zip(windows, targets, strict=True))
    return rows


def epoch_batches(
    lengths: Sequence[int], settings: BatchSettings, *, seed: int, epoch: int
) -> list[np.ndarray]:
    """Row numbers of every batch of an epoch, in training order; equal for equal arguments."""
    generator = np.random.default_rng((seed, epoch))
    order = generator.permutation(len(lengths))
    sizes = np.asarray(lengths)
    rows_in_pool = max(1, POOL_BATCHES * settings.tokens // max(1, int(sizes.mean())))
    batches: list[np.ndarray] = []
    for start in range(0, len(order), rows_in_pool):
        pool = order[start : start + rows_in_pool]
        for group in length_sorted_batches(sizes[pool], token_budget=settings.tokens):
            batches.append(pool[group])
    return [batches[number] for number in generator.permutation(len(batches))]


def collate(rows: Sequence[Row], heads: Sequence[HeadSpec], *, pad_id: int) -> Batch:
    """Padded tensors of some rows."""
    token_ids = pad_rows([row.window.token_ids for row in rows], value=pad_id)
    lengths = np.array([len(row.window) for row in rows])
    mask = np.arange(token_ids.shape[1])[None, :] < lengths[:, None]
    segments = pad_rows([row.window.segment_ids for row in rows], value=0)
    return Batch(
        token_ids=torch.from_numpy(token_ids),
        segment_ids=torch.from_numpy(segments),
        mask=torch.from_numpy(mask),
        targets={head.name: torch.from_numpy(_targets(rows, head)) for head in heads},
    )


def mask_words(
    batch: Batch, rows: Sequence[Row], *, rate: float, mask_id: int, generator: torch.Generator
) -> Batch:
    """The batch with whole words hidden behind the mask token; targets stay as they are."""
    token_ids = batch.token_ids.clone()
    for number, row in enumerate(rows):
        words = torch.from_numpy(row.window.words)
        hidden = torch.rand(int(words.max()) + 1, generator=generator) < rate
        # Number -1, of special tokens, would name the last word.
        positions = torch.nonzero((words >= 0) & hidden[words]).flatten()
        token_ids[number, positions] = mask_id
    return replace(batch, token_ids=token_ids)


def _targets(rows: Sequence[Row], head: HeadSpec) -> np.ndarray:
    values = [row.targets[head.name] for row in rows]
    return pad_rows(values, value=IGNORED) if head.kind == "token" else np.stack(values)
