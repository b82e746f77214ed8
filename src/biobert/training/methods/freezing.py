"""Frozen layers: the embeddings and the lowest layers stay as they are."""

from biobert.core.errors import BadInputError
from biobert.model.network import Network
from biobert.training.method import Method
from biobert.training.recipe import Recipe


class Freezing(Method):
    """The lowest layers take no gradients, and DDP must know that before it spreads the network."""

    name = "optimizer.frozen_layers"

    def __init__(self, layers: int) -> None:
        self._layers = layers

    def prepare(self, network: Network) -> None:
        """Freeze the embeddings and the layers above them."""
        if self._layers > network.layer_count:
            raise BadInputError(
                f"[optimizer] frozen_layers = {self._layers}: the encoder has "
                f"{network.layer_count} layers"
            )
        for name, parameter in network.named_parameters():
            if network.layer_count - network.depth(name) < self._layers:
                parameter.requires_grad_(False)


def method(recipe: Recipe, *, steps: int) -> Method | None:
    """The method, where the recipe names layers."""
    del steps
    layers = recipe.optimizer.frozen_layers
    return Freezing(layers) if layers else None
