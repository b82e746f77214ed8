"""Gradual unfreezing: the heads first, then layer after layer from the top.

ULMFiT, Howard and Ruder 2018 (arXiv:1801.06146), section 3.3.
"""

from biobert.core.errors import BadInputError
from biobert.model.network import Network
from biobert.training.method import Method
from biobert.training.recipe import Recipe


class Unfreezing(Method):
    """Layers that are not yet free lose their gradients, so the optimizer passes them by.

    They are computed all the same: DDP and FSDP must know once and for all who learns.
    """

    name = "optimizer.unfrozen_layers"

    def __init__(self, layers: int) -> None:
        self._layers = layers
        self._free = 0

    def begin_epoch(self, epoch: int) -> None:
        """Free some layers more."""
        self._free = epoch * self._layers

    def before_update(self, network: Network) -> None:
        """Drop the gradients of the layers below."""
        for name, parameter in network.named_parameters():
            if min(network.depth(name), network.layer_count) > self._free:
                parameter.grad = None


def method(recipe: Recipe, *, steps: int) -> Method | None:
    """The method, where the recipe says how many layers an epoch frees."""
    del steps
    layers = recipe.optimizer.unfrozen_layers
    if layers is None:
        return None
    if layers < 1:
        raise BadInputError(f"[optimizer] unfrozen_layers = {layers}: at least 1 an epoch")
    return Unfreezing(layers)
