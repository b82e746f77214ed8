"""Label smoothing: a part of the truth is spread evenly over all labels.

Szegedy et al. 2016 (arXiv:1512.00567), section 7.
"""

import torch
from torch.nn import functional

from biobert.core.errors import BadInputError
from biobert.core.task import IGNORED
from biobert.model.heads import Choice
from biobert.model.network import Network
from biobert.training.method import Method
from biobert.training.recipe import Recipe


class SmoothedCrossEntropy:
    """Cross-entropy with (1 - share) of the right answer and share / n of each of n answers."""

    def __init__(self, share: float) -> None:
        self._share = share

    def choice(self, choice: Choice) -> torch.Tensor:
        """The sum over all targets that are not IGNORED."""
        return functional.cross_entropy(
            choice.logits,
            choice.targets,
            weight=choice.weights,
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=self._share,
        )

    def labels(
        self, logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None
    ) -> torch.Tensor:
        """One loss for each label: yes and no are two answers."""
        smoothed = targets * (1.0 - self._share) + self._share / 2.0
        return functional.binary_cross_entropy_with_logits(
            logits, smoothed, pos_weight=weights, reduction="none"
        )


class Smoothing(Method):
    """Smoothed targets in place of sure ones."""

    name = "regularization.label_smoothing"

    def __init__(self, share: float) -> None:
        self.form = SmoothedCrossEntropy(share)

    def prepare(self, network: Network) -> None:
        """A place among the tokens of a row is no label: padding would get a share of the truth."""
        if any(spec.kind == "span" for spec in network.specs):
            raise BadInputError(
                "regularization.label_smoothing does not fit a task that answers with a span"
            )


def method(recipe: Recipe, *, steps: int) -> Method | None:
    """The method, where the recipe gives a share."""
    del steps
    share = recipe.regularization.label_smoothing
    return Smoothing(share) if share else None
