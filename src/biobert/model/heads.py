"""Output layers, built from the `HeadSpec` that a task names."""

import torch
from torch import nn
from torch.nn import functional

from biobert.core.task import IGNORED, HeadSpec
from biobert.model.encoder import Encoder, initialise
from biobert.model.layer import activate


class LinearHead(nn.Module):
    """Dropout and a linear layer, after hidden layers of dropout, linear and tanh if there are any.

    It reads the vector of every token, of a row, or of several marked tokens side by side.
    """

    def __init__(self, spec: HeadSpec, hidden_size: int, *, dropout: float) -> None:
        super().__init__()
        self.spec = spec
        size = hidden_size * max(1, spec.marks)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.ModuleList(nn.Linear(size, size) for _ in range(spec.hidden_layers))
        self.classifier = nn.Linear(size, spec.width)
        self.apply(initialise)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """(..., size) to (..., width) logits."""
        for layer in self.hidden:
            vectors = torch.tanh(layer(self.dropout(vectors)))
        logits: torch.Tensor = self.classifier(self.dropout(vectors))
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
    """The mean loss over all gold values that are not IGNORED, in float32; without any it is 0.

    `logits` (..., width), `targets` (..., target_width); of a `span` head (rows, length, 2) and
    (rows, 2), the places of the first and the last token of the answer.
    """
    logits = logits.float()
    known = targets != IGNORED
    if spec.loss == "binary":
        total = _binary_losses(spec, logits, targets)[known].sum()
    elif spec.loss == "squared-error":
        total = functional.mse_loss(logits, targets.to(logits.dtype), reduction="none")[known].sum()
    elif spec.kind == "span":
        total = _cross_entropy(logits.transpose(1, 2), targets, None)
    else:
        slices = (slice(None),) if spec.kind == "vocabulary" else spec.slices
        weights = logits.new_tensor(spec.weights) if spec.weights else None
        total = logits.new_zeros(())
        for number, part in enumerate(slices):
            own = None if weights is None else weights[part]
            total = total + _cross_entropy(logits[..., part], targets[..., number], own)
    return total / known.sum().clamp(min=1)


def _cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None
) -> torch.Tensor:
    return functional.cross_entropy(
        logits.flatten(0, -2),
        targets.flatten(),
        weight=weights,
        ignore_index=IGNORED,
        reduction="sum",
    )


def _binary_losses(spec: HeadSpec, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    weights = logits.new_tensor(spec.weights) if spec.weights else None
    return functional.binary_cross_entropy_with_logits(
        logits, targets.to(logits.dtype), pos_weight=weights, reduction="none"
    )
