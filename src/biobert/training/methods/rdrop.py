"""R-Drop: two passes with different dropout should answer alike.

Liang et al. 2021 (arXiv:2106.14448): the loss, here the mean of both passes', plus a weight times
(KL(P1 || P2) + KL(P2 || P1)) / 2, as in the authors' code. Numbers are compared by their squares.
"""

from collections.abc import Sequence

import torch
from torch.nn import functional

from biobert.core.errors import BadInputError
from biobert.core.task import IGNORED, HeadSpec
from biobert.model.heads import choices
from biobert.model.network import Network
from biobert.training.batches import Batch
from biobert.training.method import Answers, Method
from biobert.training.recipe import Recipe


class RegularizedDropout(Method):
    """Two passes for each batch, and what lies between them."""

    name = "regularization.rdrop"
    passes = 2

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self._specs: Sequence[HeadSpec] = ()

    def prepare(self, network: Network) -> None:
        """Remember the heads; without dropout both passes would be the same."""
        self._specs = network.specs
        rates = [one.p for one in network.modules() if isinstance(one, torch.nn.Dropout)]
        if not any(rates):
            raise BadInputError("regularization.rdrop needs dropout; set model.encoder_dropout")

    def blend(self, loss: torch.Tensor, answers: Sequence[Answers], batch: Batch) -> torch.Tensor:
        """The loss, and the weighted divergence of each head."""
        first, second = answers
        for spec in self._specs:
            divergence = _divergence(
                spec, first[spec.name], second[spec.name], batch.targets[spec.name]
            )
            loss = loss + self._weight * divergence
        return loss


def method(recipe: Recipe, *, steps: int) -> Method | None:
    """The method, where the recipe gives it a weight."""
    del steps
    weight = recipe.regularization.rdrop
    return RegularizedDropout(weight) if weight else None


def _divergence(
    spec: HeadSpec, first: torch.Tensor, second: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    """The mean over all gold values, as the loss is."""
    first, second, known = first.float(), second.float(), targets != IGNORED
    if spec.loss == "squared-error":
        total = (first - second).square()[known].sum()
    elif spec.loss == "binary":
        total = _of_labels(first, second)[known].sum()
    else:
        total = first.new_zeros(())
        pairs = zip(choices(spec, first, targets), choices(spec, second, targets), strict=True)
        for one, other in pairs:
            kept = one.targets != IGNORED
            total = total + _of_choices(one.logits[kept], other.logits[kept])
    return total / known.sum().clamp(min=1)


def _of_choices(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """(KL(P || Q) + KL(Q || P)) / 2 = sum of (P - Q) (log P - log Q) / 2."""
    one, other = functional.log_softmax(first, dim=-1), functional.log_softmax(second, dim=-1)
    return ((one.exp() - other.exp()) * (one - other)).sum() / 2.0


def _of_labels(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The same for yes and no, whose log odds are the logits: (p - q) (logit p - logit q) / 2."""
    return (torch.sigmoid(first) - torch.sigmoid(second)) * (first - second) / 2.0
