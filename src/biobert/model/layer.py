"""One encoder layer: attention, then a position-wise feed-forward, each normalised after adding."""

import torch
from torch import nn
from torch.nn import functional

from biobert.model.attention import Scope, SelfAttention
from biobert.model.norm import LayerNorm
from biobert.model.settings import Activation, EncoderSettings


def activate(values: torch.Tensor, activation: Activation) -> torch.Tensor:
    """The activation function of that name; `gelu_new` is the tanh approximation."""
    if activation == "relu":
        return functional.relu(values)
    approximate = "tanh" if activation == "gelu_new" else "none"
    return functional.gelu(values, approximate=approximate)


class FeedForward(nn.Module):
    """W2 activation(W1 x + b1) + b2 at every position."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        self.expand = nn.Linear(settings.hidden_size, settings.intermediate_size)
        self.contract = nn.Linear(settings.intermediate_size, settings.hidden_size)
        self.activation = settings.activation

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(..., hidden) to (..., hidden)."""
        expanded = activate(self.expand(hidden), self.activation)
        contracted: torch.Tensor = self.contract(expanded)
        return contracted


class EncoderLayer(nn.Module):
    """x = LayerNorm(x + attention(x)), then x = LayerNorm(x + feed_forward(x))."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        size, epsilon = settings.hidden_size, settings.layer_norm_epsilon
        self.attention = SelfAttention(settings)
        self.attention_norm = LayerNorm(size, eps=epsilon)
        self.feed_forward = FeedForward(settings)
        self.feed_forward_norm = LayerNorm(size, eps=epsilon)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, hidden: torch.Tensor, scope: Scope) -> torch.Tensor:
        """(rows, length, hidden) to the same shape; tokens see what is in their scope."""
        attended = self.dropout(self.attention(hidden, scope))
        hidden = self.attention_norm(hidden + attended)
        transformed = self.dropout(self.feed_forward(hidden))
        result: torch.Tensor = self.feed_forward_norm(hidden + transformed)
        return result
