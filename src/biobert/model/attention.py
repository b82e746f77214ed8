"""Multi-head self-attention: softmax(Q K^T / sqrt(d)) V for each head, then a projection.

Which tokens see which is a scope: a boolean mask, or the borders of packed sequences for a kernel
that skips what is apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from biobert.model.settings import EncoderSettings

HALF = (torch.bfloat16, torch.float16)
"""The precisions that variable-length kernels know."""


@dataclass(frozen=True, slots=True)
class PackedScope:
    """Sequences that stand side by side in flattened rows; padding counts as one of them.

    `borders` (sequences + 1,) int32: where each begins, and the end of the last; `longest` tokens.
    """

    borders: torch.Tensor
    longest: int


Scope = torch.Tensor | PackedScope | None
"""None: a row is one sequence. A boolean tensor that broadcasts to (rows, heads, length, length):
True where a query may look at a key; or what is added to their scores."""
UNSEEN = -1e4
"""Added to a score, far enough below all others that its weight is 0.0, in half precision too."""


class SelfAttention(nn.Module):
    """Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.2."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        size, width = settings.hidden_size, settings.attention_width
        self.heads = settings.heads
        self.query = nn.Linear(size, width)
        self.key = nn.Linear(size, width)
        self.value = nn.Linear(size, width)
        self.output = nn.Linear(width, size)
        self.dropout = settings.attention_dropout

    def forward(self, hidden: torch.Tensor, scope: Scope) -> torch.Tensor:
        """(rows, length, hidden) to the same shape."""
        read = in_autocast_precision(hidden)
        context = self.attend(self.query(read), self.key(read), self.value(read), scope)
        projected: torch.Tensor = self.output(context)
        return projected

    def attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scope: Scope
    ) -> torch.Tensor:
        """(rows, length, width) queries, keys and values to what the heads read, side by side."""
        if isinstance(scope, PackedScope):
            return self._packed(query, key, value, scope)
        return self._masked(query, key, value, scope)

    def _masked(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        allowed: torch.Tensor | None,
    ) -> torch.Tensor:
        context = functional.scaled_dot_product_attention(
            self._split(query).transpose(1, 2),
            self._split(key).transpose(1, 2),
            self._split(value).transpose(1, 2),
            attn_mask=allowed,
            dropout_p=self.dropout if self.training else 0.0,
        )
        return context.transpose(1, 2).flatten(2)

    def _packed(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scope: PackedScope
    ) -> torch.Tensor:
        context = packed_kernel()(
            self._split(query).flatten(0, 1),
            self._split(key).flatten(0, 1),
            self._split(value).flatten(0, 1),
            scope.borders,
            scope.borders,
            scope.longest,
            scope.longest,
        )
        return context.reshape(query.shape)

    def _split(self, vectors: torch.Tensor) -> torch.Tensor:
        """(rows, length, width) to (rows, length, heads, width / heads)."""
        rows, length, size = vectors.shape
        return vectors.view(rows, length, self.heads, size // self.heads)


def in_autocast_precision(tensor: torch.Tensor) -> torch.Tensor:
    """What autocast makes of a factor, once where several products share it."""
    device = tensor.device.type
    if not torch.is_autocast_enabled(device):
        return tensor
    return tensor.to(torch.get_autocast_dtype(device))


def take_kernels_for_any_shape() -> None:
    """Keep torch from attention kernels that are planned anew for every shape of a batch.

    Batches of text have hundreds of shapes, and cuDNN took up to a tenth of a second for each.
    """
    torch.backends.cuda.enable_cudnn_sdp(False)


def packed_kernel() -> Callable[..., torch.Tensor]:
    """torch's attention over sequences of different lengths, (tokens, heads, size) each."""
    from torch.nn.attention.varlen import varlen_attn

    return cast(Callable[..., torch.Tensor], varlen_attn)


def packed_kernel_applies(device: torch.device, precision: torch.dtype, *, dropout: float) -> bool:
    """Whether the kernel is there: torch 2.10 or later, a GPU, half precision, and no dropout of
    attention weights, which it does not know."""
    return (
        device.type == "cuda"
        and precision in HALF
        and not dropout
        and find_spec("torch.nn.attention.varlen") is not None
    )


def masked_scope(sequence_ids: torch.Tensor) -> torch.Tensor:
    """(rows, length) sequence numbers, 0 for padding, to a mask that broadcasts over heads.

    A plain padding mask stays (rows, 1, 1, length), which attention kernels handle faster than
    the full (rows, 1, length, length) of packed rows.
    """
    if sequence_ids.dtype == torch.bool:
        seen = sequence_ids[:, None, None, :]
        # A graph that adds takes 2 to 6% less time: it looks for no rows where nothing is seen.
        return _added(seen) if torch.onnx.is_in_onnx_export() else seen
    same = sequence_ids[:, :, None] == sequence_ids[:, None, :]
    real = (sequence_ids > 0)[:, None, :]
    # A padding query sees its padding: a row of nothing but False would give NaN.
    padding = (sequence_ids == 0)[:, :, None]
    return ((same & real) | (same & padding))[:, None]


def _added(seen: torch.Tensor) -> torch.Tensor:
    return torch.zeros(seen.shape).masked_fill(~seen, UNSEEN)


def packed_scope(sequence_ids: torch.Tensor) -> PackedScope:
    """The borders of the sequences in (rows, length) sequence numbers; a row's padding is one."""
    begins = torch.ones_like(sequence_ids, dtype=torch.bool)
    begins[:, 1:] = sequence_ids[:, 1:] != sequence_ids[:, :-1]
    places = begins.flatten().nonzero()[:, 0].to(torch.int32)
    borders = functional.pad(places, (0, 1), value=sequence_ids.numel())
    return PackedScope(borders, int((borders[1:] - borders[:-1]).max()))
