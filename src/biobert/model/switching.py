"""Several adapters of one encoder, ready side by side over one copy of its weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from torch import nn

from biobert.core.errors import BadInputError
from biobert.core.task import HeadSpec
from biobert.model.adaptation import read_adaptation
from biobert.model.hub import load_trained_network
from biobert.model.predictor import TorchPredictor, torch_device


def load_adapter_predictors(
    folders: Mapping[Path, Sequence[HeadSpec]],
    *,
    device: str | None = None,
    precision: Literal["float32", "bf16"] = "float32",
) -> dict[Path, TorchPredictor]:
    """A predictor for each adapter's folder; to switch is to use another one.

    Raises BadInputError for a folder that holds no adapter.
    """
    bases: dict[str, nn.Module] = {}
    place = torch_device(device)
    predictors = {}
    for folder, heads in folders.items():
        if read_adaptation(folder) is None:
            raise BadInputError(f"{folder} holds a whole model, no adapter; load it by itself")
        network = load_trained_network(folder, heads, bases=bases).to(place)
        predictors[folder] = TorchPredictor(network, device=place, precision=precision)
    return predictors
