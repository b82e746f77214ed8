"""The average of the weights over the steps of a run.

`uniform` is stochastic weight averaging, Izmailov et al. 2018 (arXiv:1803.05407); `exponential` the
moving average of Polyak and Juditsky 1992 as it is used since Szegedy et al. 2016
(arXiv:1512.00567).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from biobert.model.network import Network
from biobert.training.method import Method
from biobert.training.method_settings import AveragingSettings
from biobert.training.parallel import like
from biobert.training.recipe import Recipe


class Averaging(Method):
    """Keeps a mean of every weight that learns, in float32; steps before the first leave none."""

    name = "averaging"

    def __init__(self, settings: AveragingSettings, *, first: int) -> None:
        self._settings = settings
        self._first = first
        self._means: dict[str, torch.Tensor] = {}
        self._counted = 0

    @torch.no_grad()
    def after_update(self, network: Network, step: int) -> None:
        """Move the mean towards the weights of this step."""
        if step < self._first or (step - self._first) % self._settings.every_steps:
            return
        self._counted += 1
        for name, parameter in _learning(network):
            if self._counted == 1:
                self._means[name] = parameter.detach().clone()
            else:
                self._means[name].lerp_(parameter.detach(), self._share())

    @contextmanager
    def scored(self, network: Network) -> Iterator[None]:
        """Inside, the network has the mean."""
        if not self._means:
            yield
            return
        own = {name: parameter.detach().clone() for name, parameter in _learning(network)}
        _put(network, self._means)
        try:
            yield
        finally:
            _put(network, own)

    def finish(self, network: Network) -> None:
        """Give the network the mean."""
        if self._means:
            _put(network, self._means)

    def state(self) -> dict[str, torch.Tensor]:
        """The means, and how many steps they hold."""
        return {**self._means, "counted": torch.tensor(self._counted)}

    def restore(self, network: Network, state: Mapping[str, torch.Tensor]) -> None:
        """Put the means back, spread as the weights are."""
        self._counted = int(state["counted"])
        self._means = {
            name: like(state[name], parameter.detach())
            for name, parameter in _learning(network)
            if name in state
        }

    def _share(self) -> float:
        if self._settings.kind == "uniform":
            return 1.0 / self._counted
        return 1.0 - self._settings.decay


def method(recipe: Recipe, *, steps: int) -> Method | None:
    """The method, where the recipe has the table."""
    settings = recipe.averaging
    if settings is None:
        return None
    return Averaging(settings, first=int(settings.begin * steps) + 1)


def _learning(network: Network) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, one) for name, one in network.named_parameters() if one.requires_grad)


@torch.no_grad()
def _put(network: Network, tensors: Mapping[str, torch.Tensor]) -> None:
    for name, parameter in _learning(network):
        parameter.copy_(tensors[name])
