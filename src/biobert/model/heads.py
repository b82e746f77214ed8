"""Output layers, built from the `HeadSpec` that a task names."""

import torch
from torch import nn
from torch.nn import functional

from biobert.core.task import IGNORED, HeadSpec
from biobert.model.encoder import Encoder, initialise
from biobert.model.layer import activate


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


class VocabularyHead(nn.Module):
    """BERT's masked language model: LayerNorm(activation(W h + b)), then the word embeddings.

    The last matrix is the encoder's own embedding table (Devlin et al. 2019, arXiv:1810.04805,
    appendix A.2), handed in at each call so that it is one parameter in one place.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        settings = encoder.settings
        self.activation = settings.activation
        self.dense = nn.Linear(settings.hidden_size, settings.hidden_size)
        self.norm = nn.LayerNorm(settings.hidden_size, eps=settings.layer_norm_epsilon)
        self.bias = nn.Parameter(torch.zeros(settings.vocabulary_size))
        self.apply(initialise)

    def forward(self, hidden: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
        """(..., hidden) and (vocabulary, hidden) to (..., vocabulary) logits."""
        transformed = self.norm(activate(self.dense(hidden), self.activation))
        return functional.linear(transformed, embeddings, self.bias)


def head_loss(spec: HeadSpec, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The mean cross-entropy over all labelled (position, group) pairs, in float32.

    `logits` (..., width), `targets` (..., groups). A batch without any label gives 0.
    """
    slices = (slice(None),) if spec.kind == "vocabulary" else spec.slices
    total = logits.new_zeros((), dtype=torch.float32)
    for number, part in enumerate(slices):
        total = total + functional.cross_entropy(
            logits[..., part].flatten(0, -2).float(),
            targets[..., number].flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )
    return total / (targets != IGNORED).sum().clamp(min=1)
