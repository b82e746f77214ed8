"""Prefix tuning: keys and values in front of those that every attention computes.

Li and Liang 2021 (arXiv:2101.00190); the vectors themselves are trained, without the network that
the paper puts before them, as in P-tuning v2 (Liu et al. 2021, arXiv:2110.07602).
"""

import torch
from torch import nn
from torch.nn import functional

from biobert.core.errors import BadInputError
from biobert.model.adapters._settings import AdapterSettings
from biobert.model.attention import PackedScope, Scope, SelfAttention
from biobert.model.encoder import INITIAL_DEVIATION, Encoder
from biobert.model.layer import EncoderLayer


class PrefixedAttention(nn.Module):
    """Attention that also looks at `length` learnt keys and values."""

    def __init__(self, attention: SelfAttention, length: int) -> None:
        super().__init__()
        size = attention.key.out_features
        self.base_layer = attention
        self.dropout = attention.dropout
        self.keys = nn.Parameter(torch.empty(length, size).normal_(std=INITIAL_DEVIATION))
        self.values = nn.Parameter(torch.empty(length, size).normal_(std=INITIAL_DEVIATION))

    def forward(self, hidden: torch.Tensor, scope: Scope) -> torch.Tensor:
        """(rows, length, hidden) to the same shape."""
        base = self.base_layer
        if isinstance(scope, PackedScope):
            raise BadInputError("a prefix does not fit packed rows; batches.layout = 'sorted'")
        context = base.attend(
            base.query(hidden),
            _in_front(self.keys, base.key(hidden)),
            _in_front(self.values, base.value(hidden)),
            None if scope is None else _seen_too(scope, len(self.keys)),
        )
        projected: torch.Tensor = base.output(context)
        return projected


def attach(encoder: nn.Module, settings: AdapterSettings) -> nn.Module:
    """Our encoder with a prefix in every layer."""
    if not isinstance(encoder, Encoder):
        raise BadInputError(
            "[adapter] kind = 'prefix' needs a BERT encoder (model_type 'bert'); lora, ia3 and "
            "bottleneck fit others too"
        )
    for layer in encoder.layers:
        assert isinstance(layer, EncoderLayer)
        layer.attention = PrefixedAttention(layer.attention, settings.length)  # type: ignore[assignment]
    return encoder


def _in_front(learnt: torch.Tensor, computed: torch.Tensor) -> torch.Tensor:
    """(k, width) and (rows, length, width) to (rows, k + length, width)."""
    # Not by len(): the exporter would take the number of rows for a constant.
    repeated = learnt.to(computed.dtype).expand(computed.shape[0], -1, -1)
    return torch.cat([repeated, computed], dim=1)


def _seen_too(scope: torch.Tensor, length: int) -> torch.Tensor:
    """The scope with a prefix that every token sees; one that is added to scores adds nothing."""
    return functional.pad(scope, (length, 0), value=float(scope.dtype == torch.bool))
