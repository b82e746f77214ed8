"""Output layers, built from the `HeadSpec` that a task names."""

import torch
from torch import nn
from torch.nn import functional

from biobert.core.task import IGNORED, HeadSpec
from biobert.model.encoder import initialise


class LinearHead(nn.Module):
    """Dropout and a linear layer: on every token, or on the pooled vector of a row."""

    def __init__(self, spec: HeadSpec, hidden_size: int, *, dropout: float) -> None:
        super().__init__()
        self.spec = spec
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden_size, spec.width)
        self.apply(initialise)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(..., hidden) to (..., width) logits."""
        logits: torch.Tensor = self.classifier(self.dropout(hidden))
        return logits


def head_loss(spec: HeadSpec, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The mean cross-entropy over all labelled (position, group) pairs, in float32.

    `logits` (..., width), `targets` (..., groups). A batch without any label gives 0.
    """
    total = logits.new_zeros((), dtype=torch.float32)
    for number, part in enumerate(spec.slices):
        total = total + functional.cross_entropy(
            logits[..., part].flatten(0, -2).float(),
            targets[..., number].flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )
    return total / (targets != IGNORED).sum().clamp(min=1)
