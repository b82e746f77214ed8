"""Word + position + segment embeddings."""

import torch
from torch import nn

from biobert.model.norm import LayerNorm
from biobert.model.settings import EncoderSettings


class Embeddings(nn.Module):
    """The sum of three embeddings, normalised: LayerNorm(W[word] + P[position] + S[segment])."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        size = settings.hidden_size
        self.word = nn.Embedding(settings.vocabulary_size, size, padding_idx=settings.pad_id)
        self.position = nn.Embedding(settings.maximum_positions, size)
        self.segment = nn.Embedding(settings.segment_types, size)
        self.norm = LayerNorm(size, eps=settings.layer_norm_epsilon)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(
        self, token_ids: torch.Tensor, segment_ids: torch.Tensor, positions: torch.Tensor
    ) -> torch.Tensor:
        """(rows, length) ids to (rows, length, hidden) vectors."""
        total = self.word(token_ids) + self.segment(segment_ids) + self.position(positions)
        dropped: torch.Tensor = self.dropout(self.norm(total))
        return dropped
