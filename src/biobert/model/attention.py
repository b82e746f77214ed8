"""Multi-head self-attention: softmax(Q K^T / sqrt(d)) V for each head, then a projection."""

import torch
from torch import nn
from torch.nn import functional

from biobert.model.settings import EncoderSettings


class SelfAttention(nn.Module):
    """Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.2."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        size = settings.hidden_size
        self.heads = settings.heads
        self.query = nn.Linear(size, size)
        self.key = nn.Linear(size, size)
        self.value = nn.Linear(size, size)
        self.output = nn.Linear(size, size)
        self.dropout = settings.attention_dropout

    def forward(self, hidden: torch.Tensor, allowed: torch.Tensor | None) -> torch.Tensor:
        """(rows, length, hidden) to the same shape.

        `allowed` is None (every token sees every other), or boolean and broadcastable to
        (rows, heads, length, length): True where a query may look at a key.
        """
        context = functional.scaled_dot_product_attention(
            self._split(self.query(hidden)),
            self._split(self.key(hidden)),
            self._split(self.value(hidden)),
            attn_mask=allowed,
            dropout_p=self.dropout if self.training else 0.0,
        )
        projected: torch.Tensor = self.output(context.transpose(1, 2).flatten(2))
        return projected

    def _split(self, hidden: torch.Tensor) -> torch.Tensor:
        """(rows, length, hidden) to (rows, heads, length, hidden / heads)."""
        rows, length, size = hidden.shape
        return hidden.view(rows, length, self.heads, size // self.heads).transpose(1, 2)
