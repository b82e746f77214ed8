"""New random weights for the top layers, whose old ones serve pretraining too well.

Zhang et al. 2021, Revisiting Few-sample BERT Fine-tuning (arXiv:2006.05987), section 4.
"""

from collections.abc import Iterator

from torch import nn

from biobert.core.errors import BadInputError
from biobert.model.encoder import INITIAL_DEVIATION
from biobert.model.network import Network
from biobert.training.method import Method
from biobert.training.recipe import Recipe


class Reinitialising(Method):
    """The pooler and some top layers begin anew."""

    name = "model.reinitialised_layers"

    def __init__(self, layers: int) -> None:
        self._layers = layers

    def prepare(self, network: Network) -> None:
        """BERT's initial weights: normal matrices, zero biases, norms of one."""
        if self._layers > network.layer_count:
            raise BadInputError(
                f"[model] reinitialised_layers = {self._layers}: the encoder has "
                f"{network.layer_count} layers"
            )
        for name, parameter in _top(network, self._layers):
            if parameter.ndim > 1:
                nn.init.normal_(parameter, std=INITIAL_DEVIATION)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.ones_(parameter)


def method(recipe: Recipe, *, steps: int) -> Method | None:
    """The method, where the recipe names layers."""
    del steps
    layers = recipe.model.reinitialised_layers
    return Reinitialising(layers) if layers else None


def _top(network: Network, layers: int) -> Iterator[tuple[str, nn.Parameter]]:
    for name, parameter in network.encoder.named_parameters(prefix="encoder"):
        if network.depth(name) <= layers:
            yield name, parameter
