"""An encoder with a decoder, cut in two: what is done once for a source, and once for a piece.

The keys and values of all pieces so far are handed in and never computed again. Beams are rows of
queries over the keys and values of one source, and its beams share what they said: which piece
belongs to which beginning is a mask, so that nothing is copied when beams change places.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from biobert.core.errors import BadInputError
from biobert.model.vectors import NEVER


class SourceReader(nn.Module):
    """The encoder, and what the decoder's attention across reads of it."""

    def __init__(self, model: Any) -> None:
        """Take the parts of an `EncoderDecoderModel` of two BERTs."""
        super().__init__()
        check_parts(model)
        self.encoder = model.encoder
        self.across = nn.ModuleList(
            layer.crossattention.self for layer in model.decoder.bert.encoder.layer
        )

    def forward(self, token_ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(sources, length) ids and mask to (2 layers, sources, heads, length, size of a head).

        Keys and values take turns, layer by layer.
        """
        hidden = self.encoder(input_ids=token_ids, attention_mask=mask.long()).last_hidden_state
        parts = [part for one in self.across for part in _keys_and_values(one, hidden)]
        return torch.stack(parts)


class NextPiece(nn.Module):
    """The decoder, one piece further in every beam of every source."""

    def __init__(self, model: Any) -> None:
        """Take the parts of an `EncoderDecoderModel` of two BERTs."""
        super().__init__()
        check_parts(model)
        self.embeddings = model.decoder.bert.embeddings
        self.layers = model.decoder.bert.encoder.layer
        self.vocabulary = model.decoder.cls

    def forward(
        self,
        pieces: torch.Tensor,
        position: torch.Tensor,
        mask: torch.Tensor,
        ancestors: torch.Tensor,
        memory: Sequence[torch.Tensor],
        past: Sequence[torch.Tensor],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(sources, beams) pieces to (sources, beams, vocabulary) logits of what follows, and their
        own keys and values, (2 layers, sources, heads, beams, size of a head).

        They stand at `position` (1,). `mask` (sources, length) and `memory` are those of the
        source; `past` holds keys and values of the pieces before, (sources, heads, pieces before,
        size), and `ancestors` (sources, beams, pieces before) which of them a beam goes on from.
        """
        hidden = self.embeddings(input_ids=pieces, position_ids=position.expand_as(pieces))
        newest = []
        for number, layer in enumerate(self.layers):
            place = slice(2 * number, 2 * number + 2)
            own, across = layer.attention, layer.crossattention
            said = _keys_and_values(own.self, hidden)
            newest += said
            read = _written(own.self, hidden, past[place], ancestors[:, None], said)
            hidden = own.output(read, hidden)
            read = _across(across.self, hidden, memory[place], mask[:, None, None])
            hidden = layer.feed_forward_chunk(across.output(read, hidden))
        return self.vocabulary(hidden), torch.stack(newest)


def check_parts(model: Any) -> None:
    """An error unless it is two BERTs of one width."""
    kinds = [model.config.encoder.model_type, model.config.decoder.model_type]
    widths = [model.config.encoder.hidden_size, model.config.decoder.hidden_size]
    if kinds != ["bert", "bert"] or widths[0] != widths[1]:
        told = " and ".join(f"{kind} of {size}" for kind, size in zip(kinds, widths, strict=True))
        raise BadInputError(f"encoder and decoder must be BERTs of one width; these are {told}")


def _keys_and_values(attention: Any, hidden: torch.Tensor) -> list[torch.Tensor]:
    return [_by_head(attention, part(hidden)) for part in (attention.key, attention.value)]


def _by_head(attention: Any, vectors: torch.Tensor) -> torch.Tensor:
    """(sources, n, width) to (sources, heads, n, width / heads)."""
    sources, count, _ = vectors.shape
    heads, size = attention.num_attention_heads, attention.attention_head_size
    return vectors.view(sources, count, heads, size).transpose(1, 2)


def _written(
    attention: Any,
    hidden: torch.Tensor,
    past: Sequence[torch.Tensor],
    ancestors: torch.Tensor,
    own: Sequence[torch.Tensor],
) -> torch.Tensor:
    """What the heads read, side by side: of what stands before each piece, and of itself."""
    query, (keys, values), (key, value) = _query(attention, hidden), past, own
    itself = (query * key).sum(dim=-1, keepdim=True)
    shares = torch.cat([_scores(query, keys, ancestors), itself], dim=-1).softmax(dim=-1)
    return _side_by_side(shares[..., :-1] @ values + shares[..., -1:] * value)


def _across(
    attention: Any, hidden: torch.Tensor, memory: Sequence[torch.Tensor], mask: torch.Tensor
) -> torch.Tensor:
    """What the heads read of the source, side by side."""
    keys, values = memory
    shares = _scores(_query(attention, hidden), keys, mask).softmax(dim=-1)
    return _side_by_side(shares @ values)


def _query(attention: Any, hidden: torch.Tensor) -> torch.Tensor:
    query: torch.Tensor = attention.query(hidden) * attention.attention_head_size**-0.5
    return _by_head(attention, query)


def _scores(query: torch.Tensor, keys: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    scores: torch.Tensor = query @ keys.transpose(-1, -2)
    return scores.masked_fill(~seen, NEVER)


def _side_by_side(read: torch.Tensor) -> torch.Tensor:
    """(sources, heads, beams, size) to (sources, beams, heads x size)."""
    return read.transpose(1, 2).flatten(2)
