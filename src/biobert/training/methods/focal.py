"""Focal loss: -(1 - p)^gamma log p, so that what is already sure counts less.

Lin et al. 2017 (arXiv:1708.02002), section 3; the weights of a head stand for its alpha.
"""

import torch
from torch.nn import functional

from biobert.core.task import IGNORED
from biobert.model.heads import PLAIN, Choice
from biobert.training.method import Method
from biobert.training.recipe import Recipe

SMALLEST = 1e-8


class FocalLoss:
    """Cross-entropy times (1 - p)^gamma, with p the probability of the right answer."""

    def __init__(self, gamma: float) -> None:
        self._gamma = gamma

    def choice(self, choice: Choice) -> torch.Tensor:
        """The sum over all targets that are not IGNORED."""
        known = choice.targets != IGNORED
        targets = choice.targets[known]
        logarithms = functional.log_softmax(choice.logits[known], dim=-1)
        right = logarithms.gather(-1, targets[:, None])[:, 0]
        losses = -self._factor(-torch.expm1(right)) * right
        if choice.weights is not None:
            losses = losses * choice.weights[targets]
        return losses.sum()

    def labels(
        self, logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None
    ) -> torch.Tensor:
        """One loss for each label."""
        wrong = torch.sigmoid(torch.where(targets == 1, -logits, logits))
        return self._factor(wrong) * PLAIN.labels(logits, targets, weights)

    def _factor(self, wrong: torch.Tensor) -> torch.Tensor:
        # Below gamma = 1 the power's slope at 0 has no end.
        return wrong.clamp(min=SMALLEST) ** self._gamma


class Focal(Method):
    """Focal loss in place of cross-entropy."""

    name = "regularization.focal"

    def __init__(self, gamma: float) -> None:
        self.form = FocalLoss(gamma)


def method(recipe: Recipe, *, steps: int) -> Method | None:
    """The method, where the recipe gives gamma."""
    del steps
    gamma = recipe.regularization.focal
    return Focal(gamma) if gamma else None
