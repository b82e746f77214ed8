"""Supervised contrastive loss: rows of one label lie close together, others apart.

Gunel et al. 2021 (arXiv:2011.01403), equations 1 to 3: (1 - weight) times the loss plus weight
times the mean, over all rows with another of their label in the batch, of -log of the softmax over
the scaled cosines to all other rows, averaged over those of its label.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from biobert.core.errors import BadInputError
from biobert.core.task import IGNORED, HeadSpec
from biobert.model.network import Network
from biobert.training.batches import Batch
from biobert.training.method import Answers, Method
from biobert.training.recipe import Recipe


class SupervisedContrast(Method):
    """Compares the vectors that the head of a row reads, within the batch of one process."""

    name = "regularization.contrastive"

    def __init__(self, weight: float, temperature: float) -> None:
        self._weight = weight
        self._temperature = temperature
        self._head = ""
        self._vectors: list[torch.Tensor] = []

    def prepare(self, network: Network) -> None:
        """Find the head that answers once for a row, and listen to what it reads."""
        fitting = [spec for spec in network.specs if _fits(spec)]
        if len(fitting) != 1:
            raise BadInputError(
                "regularization.contrastive needs a task with one label for each row, such as "
                "classification with one label a text"
            )
        self._head = fitting[0].name
        network.heads[self._head].register_forward_pre_hook(self._listen)

    def blend(self, loss: torch.Tensor, answers: Sequence[Answers], batch: Batch) -> torch.Tensor:
        """Both losses, weighed."""
        labels = batch.targets[self._head][:, 0]
        seen, self._vectors = self._vectors[-len(answers) :], []
        contrasts = [contrast(vectors, labels, self._temperature) for vectors in seen]
        return (1.0 - self._weight) * loss + self._weight * torch.stack(contrasts).mean()

    def _listen(self, head: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        if head.training:
            self._vectors.append(inputs[0])


def contrast(vectors: torch.Tensor, labels: torch.Tensor, temperature: float) -> torch.Tensor:
    """(rows, size) vectors and (rows,) labels to the mean loss; 0 where no two share a label.

    In a multitask, rows of another part have no label: they are left out.
    """
    vectors, labels = vectors[labels != IGNORED], labels[labels != IGNORED]
    unit = functional.normalize(vectors.float(), dim=-1)
    self_pairs = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    cosines = (unit @ unit.T / temperature).masked_fill(self_pairs, float("-inf"))
    logarithms = functional.log_softmax(cosines, dim=-1).masked_fill(self_pairs, 0.0)
    alike = (labels[:, None] == labels[None, :]) & ~self_pairs
    partners = alike.sum(dim=-1)
    if not partners.any():
        return logarithms.sum() * 0.0
    losses = -(logarithms * alike).sum(dim=-1) / partners.clamp(min=1)
    return losses[partners > 0].mean()


def method(recipe: Recipe, *, steps: int) -> Method | None:
    """The method, where the recipe gives it a weight."""
    del steps
    settings = recipe.regularization
    if not settings.contrastive:
        return None
    return SupervisedContrast(settings.contrastive, settings.temperature)


def _fits(spec: HeadSpec) -> bool:
    row = spec.kind in ("sequence", "marked", "cloze")
    return row and spec.loss == "cross-entropy" and len(spec.groups) == 1
