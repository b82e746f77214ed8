"""Output layers, built from the `HeadSpec` that a task names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from biobert.core.errors import BadInputError
from biobert.core.task import IGNORED, HeadSpec
from biobert.model.encoder import Encoder, initialise
from biobert.model.layer import activate
from biobert.model.norm import LayerNorm
from biobert.model.vectors import contrast_loss


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
    appendix A.2), handed in at each call so that it is one parameter in one place. Where
    `pulls_embeddings` is false the table learns as input alone: pieces that are hardly ever right
    are else pushed away together, and lose what tells them apart (Gao et al. 2019,
    arXiv:1907.12009).
    """

    pulls_embeddings = True

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        settings = encoder.settings
        self.activation = settings.activation
        self.dense = nn.Linear(settings.hidden_size, settings.hidden_size)
        self.norm = LayerNorm(settings.hidden_size, eps=settings.layer_norm_epsilon)
        self.bias = nn.Parameter(torch.zeros(settings.vocabulary_size))
        self.apply(initialise)

    def begin_with(self, counts: torch.Tensor) -> bool:
        """Give a bias that has learnt nothing the log frequencies of the pieces, from their counts.

        False, and nothing done, where it has learnt something.
        """
        if self.bias.any():
            return False
        # A padded table has rows for pieces that are never met.
        padded = functional.pad(counts, (0, len(self.bias) - len(counts)))
        smoothed = padded.to(self.bias) + 0.5
        with torch.no_grad():
            self.bias.copy_((smoothed / smoothed.sum()).log())
        return True

    def forward(
        self,
        hidden: torch.Tensor,
        embeddings: torch.Tensor,
        pieces: Sequence[Sequence[int]] = (),
    ) -> torch.Tensor:
        """(..., hidden) and (vocabulary, hidden) to (..., vocabulary) logits.

        With the `pieces` of each label (..., labels): the log-sum-exp over its pieces alone.
        """
        transformed = self.norm(activate(self.dense(hidden), self.activation))
        if not self.pulls_embeddings:
            embeddings = embeddings.detach()
        if not pieces:
            return functional.linear(transformed, embeddings, self.bias)
        wanted = [torch.tensor(some, device=hidden.device) for some in pieces]
        logits = [functional.linear(transformed, embeddings[one], self.bias[one]) for one in wanted]
        return torch.cat([_log_sum_exp(some) for some in logits], dim=-1)


def _log_sum_exp(logits: torch.Tensor) -> torch.Tensor:
    """(..., n) to (..., 1)."""
    # OpenVINO takes an exported ReduceLogSumExp to be over all axes.
    highest = logits.amax(dim=-1, keepdim=True)
    return highest + (logits - highest).exp().sum(dim=-1, keepdim=True).log()


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Answers of which one is right: (n, answers) logits, (n,) targets or IGNORED, weights."""

    logits: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor | None = None


class LossForm(Protocol):
    """What an answer costs. Ways to train bring their own; `PLAIN` is the usual one."""

    def choice(self, choice: Choice) -> torch.Tensor:
        """The sum of the losses of all targets that are not IGNORED."""
        ...

    def labels(
        self, logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None
    ) -> torch.Tensor:
        """The loss of every label alone, targets 0 or 1; what is IGNORED is left out later."""
        ...


class CrossEntropy:
    """-log p of the right answer, of one among several or of yes and no."""

    def choice(self, choice: Choice) -> torch.Tensor:
        """The sum over all targets that are not IGNORED."""
        return functional.cross_entropy(
            choice.logits,
            choice.targets,
            weight=choice.weights,
            ignore_index=IGNORED,
            reduction="sum",
        )

    def labels(
        self, logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None
    ) -> torch.Tensor:
        """One loss for each label; a weight multiplies that of its yes."""
        return functional.binary_cross_entropy_with_logits(
            logits, targets, pos_weight=weights, reduction="none"
        )


PLAIN = CrossEntropy()


def head_loss(
    spec: HeadSpec, logits: torch.Tensor, targets: torch.Tensor, form: LossForm = PLAIN
) -> torch.Tensor:
    """The mean loss over all gold values that are not IGNORED, in float32; without any it is 0.

    `logits` (..., width), `targets` (..., target_width); of a `span` head (rows, length, 2) and
    (rows, 2), the places of the first and the last token of the answer. The loss of a `vector` head
    is that of all rows together.
    """
    if spec.kind == "vector":
        if form is not PLAIN:
            raise BadInputError("vectors choose nothing: leave label smoothing and focal loss out")
        return contrast_loss(logits, targets, spec.temperature)
    logits = logits.float()
    known = targets != IGNORED
    if spec.loss == "squared-error":
        if form is not PLAIN:
            raise BadInputError("a number is no choice: leave label smoothing and focal loss out")
        total = functional.mse_loss(logits, targets.to(logits.dtype), reduction="none")[known].sum()
    elif spec.loss == "binary":
        weights = logits.new_tensor(spec.weights) if spec.weights else None
        total = form.labels(logits, targets.to(logits.dtype), weights)[known].sum()
    else:
        total = logits.new_zeros(())
        for choice in choices(spec, logits, targets):
            total = total + form.choice(choice)
    return total / known.sum().clamp(min=1)


def choices(spec: HeadSpec, logits: torch.Tensor, targets: torch.Tensor) -> Iterator[Choice]:
    """What a head with cross-entropy chooses among: a label of each group, a piece, a place."""
    if spec.kind == "vector":
        raise BadInputError("vectors choose nothing: leave rdrop and distillation out")
    if spec.kind == "span":
        yield Choice(logits.transpose(1, 2).flatten(0, -2), targets.flatten())
        return
    slices = (slice(None),) if spec.kind in ("vocabulary", "text") else spec.slices
    weights = logits.new_tensor(spec.weights) if spec.weights else None
    for number, part in enumerate(slices):
        yield Choice(
            logits[..., part].flatten(0, -2),
            targets[..., number].flatten(),
            None if weights is None else weights[part],
        )
