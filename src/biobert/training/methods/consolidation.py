"""Elastic weight consolidation: what mattered for an earlier task moves little.

Kirkpatrick et al. 2017 (arXiv:1612.00796): the loss plus strength / 2 times the sum over weights of
their importance times the square of how far they have moved.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file

from biobert.core.errors import BadInputError
from biobert.model.network import Network
from biobert.training.importance import IMPORTANCE
from biobert.training.method import Method
from biobert.training.recipe import ModelSettings, Recipe


class Consolidation(Method):
    """Holds on to the weights that the run begins with."""

    name = "consolidation"

    def __init__(self, importance: dict[str, torch.Tensor], strength: float) -> None:
        self._importance = importance
        self._strength = strength
        self._anchors: dict[str, torch.Tensor] = {}
        self._network: Network | None = None

    def prepare(self, network: Network) -> None:
        """Remember where the weights stand."""
        self._network = network
        for name, parameter in network.named_parameters():
            weight = self._importance.get(name)
            if weight is not None and weight.shape == parameter.shape:
                self._anchors[name] = parameter.detach().clone()

    def penalty(self) -> torch.Tensor | None:
        """The price of having moved."""
        assert self._network is not None
        prices = []
        for name, parameter in self._network.named_parameters():
            if parameter.requires_grad and name in self._anchors:
                self._settle(name, parameter.device)
                moved = parameter - self._anchors[name]
                prices.append((self._importance[name] * moved.square()).sum())
        return self._strength / 2.0 * torch.stack(prices).sum() if prices else None

    def _settle(self, name: str, device: torch.device) -> None:
        self._anchors[name] = self._anchors[name].to(device)
        self._importance[name] = self._importance[name].to(device)


def method(recipe: Recipe, *, steps: int) -> Method | None:
    """The method, where the recipe has the table."""
    del steps
    if recipe.consolidation is None:
        return None
    if recipe.run.parallel == "fsdp":
        raise BadInputError(
            "[consolidation] does not know sharded weights; use run.parallel = 'ddp'"
        )
    _refuse_surgery(recipe.model)
    assert recipe.model.encoder is not None
    path = Path(recipe.model.encoder) / IMPORTANCE
    if not path.is_file():
        raise BadInputError(
            f"[consolidation] {path} is missing: write it with `biobert importance "
            f"{recipe.model.encoder} CORPUS`",
            code="not-found",
        )
    importance = load_file(path)
    if recipe.model.heads == "new":
        # They may have the names and shapes of the old ones, but begin at random: they are free.
        importance = {n: one for n, one in importance.items() if not n.startswith("heads.")}
    return Consolidation(importance, recipe.consolidation.strength)


def _refuse_surgery(model: ModelSettings) -> None:
    """An error where weights stand elsewhere than when they were weighed, or begin anew."""
    for name in ("layers", "vocabulary", "reinitialised_layers"):
        if getattr(model, name):
            raise BadInputError(
                f"[consolidation] model.{name} moves or renews weights whose importance is known "
                "by their place: leave one of the two out"
            )
