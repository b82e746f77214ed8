"""Bottleneck adapters: x + up(gelu(down(x))) behind both parts of a layer, and new norms.

Houlsby et al. 2019 (arXiv:1902.00751), section 2.1; the adapter begins near the identity.
"""

import copy
import re
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from biobert.core.errors import BadInputError
from biobert.model.adapters._settings import AdapterSettings

PROJECTIONS = re.compile(
    r"layers?\.\d+\.(attention\.output|feed_forward\.contract|attention\.output\.dense|"
    r"output\.dense)$"
)
"""The last linear layer of both parts, in our encoder and in those that took BERT's names."""
NEAR_ZERO = 1e-3


class Bottleneck(nn.Module):
    """A linear layer and the adapter that reads what it gives."""

    def __init__(self, linear: nn.Linear, size: int) -> None:
        super().__init__()
        self.base_layer = linear
        self.down = nn.Linear(linear.out_features, size)
        self.up = nn.Linear(size, linear.out_features)
        for layer in (self.down, self.up):
            nn.init.normal_(layer.weight, std=NEAR_ZERO)
            nn.init.zeros_(layer.bias)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """(..., in) to (..., out)."""
        projected: torch.Tensor = self.base_layer(vectors)
        change: torch.Tensor = self.up(functional.gelu(self.down(projected)))
        return projected + change


def attach(encoder: nn.Module, settings: AdapterSettings) -> nn.Module:
    """The encoder with adapters, and with copies of its norms to train."""
    names = [name for name, module in encoder.named_modules() if isinstance(module, nn.Linear)]
    wanted = [name for name in names if _is_target(name, settings.targets)]
    if not wanted:
        raise BadInputError(
            f"[adapter] kind = 'bottleneck': no linear layer of this encoder is called "
            f"{', '.join(settings.targets) or 'as in BERT'}; name some in adapter.targets, "
            f"such as {names[0]!r}"
        )
    for name in wanted:
        linear = encoder.get_submodule(name)
        assert isinstance(linear, nn.Linear)
        encoder.set_submodule(name, Bottleneck(linear, settings.size))
    for name, module in list(encoder.named_modules()):
        if type(module).__name__.endswith("Norm"):
            # What is copied is frozen, as all of the encoder.
            encoder.set_submodule(name, copy.deepcopy(module).requires_grad_(True))
    return encoder


def _is_target(name: str, targets: Sequence[str]) -> bool:
    if targets:
        return any(name == one or name.endswith(f".{one}") for one in targets)
    return PROJECTIONS.search(name) is not None
