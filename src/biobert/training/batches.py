"""Rows of a corpus as padded batches: shuffled, of similar length, the same for a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from biobert.core.batching import length_sorted_batches, pad_rows, window_arrays
from biobert.core.document import Document
from biobert.core.task import IGNORED, HeadSpec, Targets, Task, TextTokenizer, Window
from biobert.training.recipe import BatchSettings

POOL_BATCHES = 64
"""Rows are sorted by length within pools of about this many batches, so batches stay random."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A window, what it should answer, and in what share of the epochs it is learnt from."""

    window: Window
    targets: Targets
    share: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Tensors of some rows: (rows, length) ids and segments; targets by head.

    `mask` is what the encoder takes as `sequence_ids`: None where nothing is padded, boolean for
    padded rows, numbers for packed ones, whose `positions` begin anew with each sequence. A head in
    `selected` reads only these places of the flattened rows, a marked one the tokens at `marks`
    (rows, k), a `text` head the gold `written` (rows, pieces). `tokens` counts the real ones.
    """

    token_ids: torch.Tensor
    segment_ids: torch.Tensor
    mask: torch.Tensor | None
    targets: dict[str, torch.Tensor]
    tokens: int
    positions: torch.Tensor | None = None
    selected: dict[str, torch.Tensor] | None = None
    marks: torch.Tensor | None = None
    written: torch.Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""

        def move(tensor: torch.Tensor) -> torch.Tensor:
            return tensor.to(device, non_blocking=True)

        return Batch(
            token_ids=move(self.token_ids),
            segment_ids=move(self.segment_ids),
            mask=None if self.mask is None else move(self.mask),
            targets={name: move(value) for name, value in self.targets.items()},
            tokens=self.tokens,
            positions=None if self.positions is None else move(self.positions),
            marks=None if self.marks is None else move(self.marks),
            written=None if self.written is None else move(self.written),
            selected=None
            if self.selected is None
            else {name: move(value) for name, value in self.selected.items()},
        )


def network_logits(network: nn.Module, batch: Batch) -> dict[str, torch.Tensor]:
    """The network's answers for a batch."""
    logits: dict[str, torch.Tensor] = network(
        batch.token_ids,
        batch.segment_ids,
        batch.mask,
        positions=batch.positions,
        selected=batch.selected,
        marks=batch.marks,
        written=batch.written,
    )
    return logits


def encode_rows(task: Task, documents: Sequence[Document], tokenizer: TextTokenizer) -> list[Row]:
    """All windows of the documents with their targets; those that teach nothing are left out."""
    examples = [example for document in documents for example in task.examples(document)]
    rows: list[Row] = []
    for example, windows in zip(examples, task.encode(examples, tokenizer), strict=True):
        targets = task.targets(example, windows)
        pairs = zip(windows, targets, strict=True)
        share = task.learnt_share(example)
        rows.extend(Row(window, gold, share) for window, gold in pairs if _teaches(gold))
    return rows


def _teaches(targets: Targets) -> bool:
    return any((gold != IGNORED).any() for gold in targets.values())


def epoch_batches(
    lengths: Sequence[int] | np.ndarray, settings: BatchSettings, generator: np.random.Generator
) -> list[np.ndarray]:
    """Row numbers of every batch of an epoch, in training order; equal for equal generators."""
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
    arrays = window_arrays([row.window for row in rows], pad_id=pad_id)
    tensors = {name: torch.from_numpy(one) for name, one in arrays.items()}
    return Batch(
        token_ids=tensors["token_ids"],
        segment_ids=tensors["segment_ids"],
        mask=tensors["mask"],
        marks=tensors.get("marks"),
        written=_written(rows, pad_id),
        tokens=int(arrays["mask"].sum()),
        targets={head.name: torch.from_numpy(_targets(rows, head)) for head in heads},
    )


def mask_words(
    batch: Batch, rows: Sequence[Row], *, rate: float, mask_id: int, generator: np.random.Generator
) -> Batch:
    """The batch with whole words hidden behind the mask token; targets stay as they are."""
    token_ids = batch.token_ids.clone()
    for number, row in enumerate(rows):
        # Special tokens are of no word; a text of characters that the tokenizer drops has no other.
        positions = np.flatnonzero(row.window.words >= 0)
        words = row.window.words[positions]
        hidden = generator.random(int(words.max(initial=-1)) + 1) < rate
        token_ids[number, torch.from_numpy(positions[hidden[words]])] = mask_id
    return replace(batch, token_ids=token_ids)


def _written(rows: Sequence[Row], pad_id: int) -> torch.Tensor | None:
    texts = [row.window.written for row in rows]
    return torch.from_numpy(pad_rows(texts, value=pad_id)) if len(texts[0]) else None


def _targets(rows: Sequence[Row], head: HeadSpec) -> np.ndarray:
    values = [row.targets[head.name] for row in rows]
    if head.kind not in ("token", "vocabulary", "text"):
        return np.stack(values)
    return pad_rows([value.astype(np.int64) for value in values], value=IGNORED)
