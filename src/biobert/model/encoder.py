"""The BERT encoder, written from its formulas."""

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from biobert.model.attention import Scope, masked_scope, packed_kernel_applies, packed_scope
from biobert.model.embeddings import Embeddings
from biobert.model.layer import EncoderLayer
from biobert.model.settings import EncoderSettings

INITIAL_DEVIATION = 0.02


class Pooler(nn.Module):
    """tanh(W h + b) of the first token's vector: one vector for a row."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        self.dense = nn.Linear(settings.hidden_size, settings.hidden_size)

    def forward(self, first: torch.Tensor) -> torch.Tensor:
        """(rows, hidden) vectors of the first tokens to the same shape."""
        return torch.tanh(self.dense(first))


class Encoder(nn.Module):
    """Embeddings and a stack of layers; loads and saves Hugging Face BERT folders."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        self.settings = settings
        # Gradient checkpointing: activations of a layer are computed again on the way back.
        self.recompute = False
        self.embeddings = Embeddings(settings)
        self.layers = nn.ModuleList(EncoderLayer(settings) for _ in range(settings.layers))
        self.pooler = Pooler(settings)
        self.apply(initialise)

    @property
    def hidden_size(self) -> int:
        """The width of the vectors."""
        return self.settings.hidden_size

    @property
    def layer_count(self) -> int:
        """How many layers there are."""
        return self.settings.layers

    @property
    def word_embeddings(self) -> nn.Module:
        """What turns token ids into word vectors."""
        return self.embeddings.word

    @property
    def attention_dropout(self) -> float:
        """The share of attention weights that training drops."""
        first = self.layers[0]
        assert isinstance(first, EncoderLayer)
        return first.attention.dropout

    @property
    def maximum_positions(self) -> int:
        """The longest row the position embeddings allow."""
        return self.settings.maximum_positions

    def forward(
        self,
        token_ids: torch.Tensor,
        segment_ids: torch.Tensor | None = None,
        sequence_ids: torch.Tensor | None = None,
        *,
        positions: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(rows, length) token ids to (rows, length, hidden) vectors.

        `sequence_ids` (rows, length) says which sequence of its row a token belongs to, 0 for
        padding; a boolean mask is the case of one sequence a row. Tokens see their own sequence
        alone, so several sentences may share a row; `positions` then restart with each.
        None means that nothing is padded and a row is one sequence.
        """
        return self.transform(self.embed(token_ids, segment_ids, positions), sequence_ids)

    def transform(self, hidden: torch.Tensor, sequence_ids: torch.Tensor | None) -> torch.Tensor:
        """Embedded rows through all layers."""
        scope = None if sequence_ids is None else self._scope(sequence_ids)
        for layer in self.layers:
            if self.recompute and torch.is_grad_enabled():
                hidden = checkpoint(layer, hidden, scope, use_reentrant=False)
            else:
                hidden = layer(hidden, scope)
        return hidden

    def embed(
        self,
        token_ids: torch.Tensor,
        segment_ids: torch.Tensor | None,
        positions: torch.Tensor | None,
    ) -> torch.Tensor:
        """The vectors before the first layer."""
        if segment_ids is None:
            segment_ids = torch.zeros_like(token_ids)
        if positions is None:
            positions = torch.arange(token_ids.shape[1], device=token_ids.device)[None, :]
        embedded: torch.Tensor = self.embeddings(token_ids, segment_ids, positions)
        return embedded

    def _scope(self, sequence_ids: torch.Tensor) -> Scope:
        if sequence_ids.dtype == torch.bool:
            return masked_scope(sequence_ids)
        device, precision = sequence_ids.device, self.embeddings.word.weight.dtype
        if torch.is_autocast_enabled(device.type):
            precision = torch.get_autocast_dtype(device.type)
        dropout = self.attention_dropout if self.training else 0.0
        if packed_kernel_applies(device, precision, dropout=dropout):
            return packed_scope(sequence_ids)
        return masked_scope(sequence_ids)


def initialise(module: nn.Module) -> None:
    """BERT's initial weights: normal with deviation 0.02, zero biases, padding at zero."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=INITIAL_DEVIATION)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
    if isinstance(module, nn.Embedding) and module.padding_idx is not None:
        with torch.no_grad():
            module.weight[module.padding_idx].zero_()
