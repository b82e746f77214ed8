"""A network whose encoder is a published one, unchanged, with an adapter in it.

Its folder holds `adapter.json` (the kind, and which encoder it belongs to) and
`adapter.safetensors` (the adapter and the heads) in place of all weights.
"""

import copy
import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from biobert.core.errors import BadInputError
from biobert.core.files import read_json
from biobert.core.settings import from_mapping
from biobert.model.adapters import SHELF, AdapterSettings
from biobert.model.network import Network
from biobert.model.tensors import read_wanted, write_tensors

DESCRIPTION = "adapter.json"
TENSORS = "adapter.safetensors"


@dataclass(frozen=True, slots=True)
class BaseEncoder:
    """The encoder that an adapter belongs to: a folder or a Hugging Face name, and a checksum."""

    encoder: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What an adapter is, and where it belongs."""

    settings: AdapterSettings
    base: BaseEncoder


def adapt(network: Network, adaptation: Adaptation) -> None:
    """Freeze the encoder and put an adapter into it; adapter, heads and a read pooler can learn."""
    encoder = network.encoder
    if weights_checksum(encoder) != adaptation.base.sha256:
        raise BadInputError(
            f"the encoder {adaptation.base.encoder!r} is not the one that this adapter was "
            "trained on: its weights differ"
        )
    pooler = [one for one in encoder.pooler.parameters() if one.requires_grad]  # type: ignore[union-attr]
    encoder.requires_grad_(False)
    attach = SHELF.load(adaptation.settings.kind).attach
    network.encoder = attach(encoder, adaptation.settings)
    for parameter in pooler:
        parameter.requires_grad_(True)
    network.adaptation = adaptation


def weights_checksum(encoder: nn.Module) -> str:
    """SHA-256 of an encoder's weights and names; the pooler, which may be fresh, is left out."""
    total = hashlib.sha256()
    for name, tensor in sorted(encoder.state_dict().items()):
        if "pooler." not in name:
            total.update(name.encode())
            total.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return total.hexdigest()


def save_adapter(network: Network, folder: Path) -> None:
    """Write what was trained, and which encoder it belongs to."""
    assert isinstance(network.adaptation, Adaptation)
    write_tensors(_trained(network), folder / TENSORS)
    text = json.dumps(asdict(network.adaptation), indent=2)
    (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def read_adaptation(folder: Path) -> Adaptation | None:
    """What `adapter.json` says, or None where a folder holds a whole model."""
    path = folder / DESCRIPTION
    if not path.is_file():
        return None
    return from_mapping(Adaptation, read_json(path, missing=""), place=str(path))


def fill_adapter(network: Network, folder: Path, adaptation: Adaptation) -> None:
    """Put the adapter of a folder into a network around its encoder."""
    adapt(network, adaptation)
    found = read_wanted(folder / TENSORS, _trained(network))
    network.load_state_dict(found, strict=False)


def shared_copy(encoder: nn.Module) -> nn.Module:
    """The same modules anew around the same weights: adapters of one encoder share its memory.

    A pooler is copied: each adapter may have trained its own.
    """
    named = encoder.named_parameters()
    return copy.deepcopy(encoder, {id(one): one for name, one in named if "pooler." not in name})


def merge_adapter(network: Network) -> None:
    """Add LoRA's product to the weights, or multiply them as IA3 does; predictions stay.

    Weights that other adapters share are changed for them too: load this one by itself.
    """
    for layer in _mergeable(network):
        layer.merge()


def unmerge_adapter(network: Network) -> None:
    """Take a merged adapter out of the weights again, to within rounding.

    IA3 divides by its vectors: where one is near zero, more than that is lost.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Unmerge result can be inaccurate")
        for layer in _mergeable(network):
            layer.unmerge()


def merged(network: Network) -> Network:
    """The network with its adapter in the weights for good, an encoder like any other."""
    merge_adapter(network)
    for name, module in list(network.named_modules()):
        if hasattr(module, "get_base_layer"):
            network.set_submodule(name, module.get_base_layer())
    network.adaptation = None
    return network


def _mergeable(network: Network) -> Sequence[Any]:
    layers = [module for module in network.modules() if hasattr(module, "unmerge")]
    if not layers:
        settings = getattr(network.adaptation, "settings", None)
        kind = settings.kind if isinstance(settings, AdapterSettings) else "none"
        raise BadInputError(
            f"an adapter of kind {kind!r} cannot be merged into the weights; lora and ia3 can"
        )
    return layers


def _trained(network: Network) -> dict[str, torch.Tensor]:
    return {
        name: parameter.detach()
        for name, parameter in network.named_parameters()
        if parameter.requires_grad
    }
