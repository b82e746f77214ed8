"""Parameter-efficient training: the encoder stays, an adapter in it and the heads learn."""

from pathlib import Path

from biobert.core.errors import BadInputError
from biobert.model.adaptation import Adaptation, BaseEncoder, adapt, weights_checksum
from biobert.model.adapters import AdapterSettings
from biobert.model.network import Network
from biobert.training.method import Method
from biobert.training.recipe import Recipe


class Adapter(Method):
    """Puts an adapter into the encoder; `model/adapters/` holds the kinds."""

    name = "adapter"

    def __init__(self, settings: AdapterSettings, encoder: str) -> None:
        self._settings = settings
        self._encoder = encoder

    def prepare(self, network: Network) -> None:
        """Freeze the encoder and put the adapter into it."""
        folder = Path(self._encoder).expanduser()
        name = str(folder.resolve()) if folder.is_dir() else self._encoder
        base = BaseEncoder(name, weights_checksum(network.encoder))
        adapt(network, Adaptation(self._settings, base))


def method(recipe: Recipe, *, steps: int) -> Method | None:
    """The method, where the recipe has the table."""
    del steps
    if recipe.adapter is None:
        return None
    _check(recipe)
    assert recipe.model.encoder is not None
    return Adapter(recipe.adapter, recipe.model.encoder)


def _check(recipe: Recipe) -> None:
    """An adapter's folder names the encoder it belongs to, so that must be one that is there."""
    model, optimizer = recipe.model, recipe.optimizer
    foreign = {
        "model.shape": model.shape is not None,
        "model.vocabulary": model.vocabulary is not None,
        "model.positions": model.positions is not None,
        "model.layers": model.layers is not None,
        "model.reinitialised_layers": model.reinitialised_layers > 0,
        "optimizer.frozen_layers": optimizer.frozen_layers > 0,
        "optimizer.unfrozen_layers": optimizer.unfrozen_layers is not None,
        "run.parallel = 'fsdp'": recipe.run.parallel == "fsdp",
    }
    for setting, wanted in foreign.items():
        if wanted:
            raise BadInputError(
                f"[adapter] and {setting} cannot be combined: the encoder stays as it is "
                "published; leave one out"
            )
