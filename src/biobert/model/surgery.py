"""New encoders from trained ones: another vocabulary, longer rows, more or fewer layers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from tokenizers.models import WordPiece
from torch.nn import functional

from biobert.core.errors import BadInputError
from biobert.model.encoder import Encoder
from biobert.model.settings import EncoderSettings
from biobert.text.tokenizer import SPECIAL_TOKENS, Tokenizer
from biobert.text.vocabulary import CONTINUATION

WORD_EMBEDDINGS = "embeddings.word.weight"
POSITION_EMBEDDINGS = "embeddings.position.weight"

PositionMethod = Literal["interpolate", "tile"]


@dataclass(frozen=True, slots=True)
class PieceSources:
    """For each new id the old ids whose mean it starts from; none stands for the mean of all.

    `kept` new pieces are the old ones of the same string or special role; `averaged` ones are
    spelled by old pieces; `fresh` ones the old vocabulary cannot spell.
    """

    old_ids: tuple[tuple[int, ...], ...]
    kept: int
    averaged: int
    fresh: int


@dataclass(frozen=True, slots=True, eq=False)
class VocabularyChange:
    """An encoder for another vocabulary, and where its word embeddings come from."""

    encoder: Encoder
    sources: PieceSources


def piece_sources(old: Tokenizer, new: Tokenizer) -> PieceSources:
    """Where each piece of the new vocabulary finds its start in the old one.

    A new piece starts from the mean of the old pieces that spell it: Gee et al. 2022, Fast
    Vocabulary Transfer (arXiv:2402.09977). A piece that they cannot spell starts from the mean of
    all rows, which the softmax does not favour (Hewitt 2021, "Initializing New Word Embeddings for
    Pretrained Language Models"), and not from [UNK], whose row has seldom been trained.
    """
    if not isinstance(new.backend.model, WordPiece):
        kind = type(new.backend.model).__name__
        raise BadInputError(f"the new tokenizer is {kind}; only WordPiece vocabularies are mapped")
    known = old.backend.get_vocab(with_added_tokens=True)
    kept = {
        number: known[piece]
        for piece, number in new.backend.get_vocab(with_added_tokens=True).items()
        if piece in known
    }
    kept |= {new.special(role): old.special(role) for role in SPECIAL_TOKENS}
    spelled = _spelled_ids(old, new, without=kept)
    ids = [(kept[one],) if one in kept else spelled[one] for one in range(new.vocabulary_size)]
    fresh = sum(not one for one in ids)
    return PieceSources(
        old_ids=tuple(ids),
        kept=len(kept),
        averaged=len(ids) - len(kept) - fresh,
        fresh=fresh,
    )


def mean_rows(table: torch.Tensor, sources: PieceSources) -> torch.Tensor:
    """(old, ...) to (new, ...): each row the mean of its sources; also for an output bias (old,).

    Rows with one source are copied bit by bit.
    """
    # In double, because the mean over all rows drowns in bfloat16's rounding.
    flat = table.detach().reshape(len(table), -1).double()
    chosen = torch.tensor([one for ids in sources.old_ids for one in ids], device=table.device)
    counts = torch.tensor([len(ids) for ids in sources.old_ids], device=table.device)
    means = functional.embedding_bag(chosen, flat, counts.cumsum(0) - counts, mode="mean")
    means[counts == 0] = flat.mean(dim=0)
    return means.to(table.dtype).reshape(-1, *table.shape[1:])


def with_vocabulary(encoder: Encoder, old: Tokenizer, new: Tokenizer) -> VocabularyChange:
    """The encoder for the new tokenizer's ids: the same weights below other word embeddings.

    Text whose pieces are the same strings gets the same vectors. A vocabulary head's output bias
    moves with `mean_rows(bias, change.sources)`.
    """
    old.check_embeddings(encoder.settings.vocabulary_size, place="the encoder to change")
    sources = piece_sources(old, new)
    settings = replace(
        encoder.settings, vocabulary_size=new.vocabulary_size, pad_id=new.special("pad")
    )
    state = encoder.state_dict()
    state[WORD_EMBEDDINGS] = mean_rows(state[WORD_EMBEDDINGS], sources)
    return VocabularyChange(rebuilt(settings, state, like=encoder), sources)


def with_positions(encoder: Encoder, positions: int, method: PositionMethod) -> Encoder:
    """The encoder for rows of up to `positions` tokens.

    `tile` repeats the position embeddings (Beltagy et al. 2020, Longformer, arXiv:2004.05150):
    rows that were possible before give the same vectors. `interpolate` stretches them linearly, as
    Dosovitskiy et al. 2021 (arXiv:2010.11929) do for images: first and last stay, and every row
    needs some training.
    """
    present = encoder.maximum_positions
    if positions < present:
        raise BadInputError(
            f"the encoder has {present} positions, {positions} were asked for: they can only "
            "become more; shorter rows need no change"
        )
    state = encoder.state_dict()
    table = state[POSITION_EMBEDDINGS]
    state[POSITION_EMBEDDINGS] = (
        _tiled(table, positions) if method == "tile" else _stretched(table, positions)
    )
    settings = replace(encoder.settings, maximum_positions=positions)
    return rebuilt(settings, state, like=encoder)


def restacked(encoder: Encoder, layers: int) -> Encoder:
    """The encoder with `layers` layers, taken evenly from those that it has.

    With more of them copies follow their originals: progressive stacking (Gong et al. 2019,
    "Efficient Training of BERT by Progressively Stacking") puts the copied stack on top of the
    whole; next to its original a copy meets nearly the inputs it was trained on (as in Wu et al.
    2024, LLaMA Pro, arXiv:2401.02415). With half of them every other one stays, as DistilBERT
    begins (arXiv:1910.01108).
    """
    if layers < 1:
        raise BadInputError(f"{layers} layers: an encoder has at least 1")
    present = encoder.layer_count
    return stacked(encoder, [number * present // layers for number in range(layers)])


def stacked(encoder: Encoder, numbers: Sequence[int]) -> Encoder:
    """The encoder with copies of these layers, one upon another."""
    state = {
        name: value for name, value in encoder.state_dict().items() if not _is_of_a_layer(name)
    }
    for number, original in enumerate(numbers):
        of_layer = encoder.layers[original].state_dict()
        state |= {f"layers.{number}.{name}": value for name, value in of_layer.items()}
    return rebuilt(replace(encoder.settings, layers=len(numbers)), state, like=encoder)


def _spelled_ids(
    old: Tokenizer, new: Tokenizer, *, without: Mapping[int, int]
) -> dict[int, tuple[int, ...]]:
    """The old ids that spell each new piece; an empty tuple where they cannot."""
    pieces = {
        number: piece
        for piece, number in new.backend.get_vocab(with_added_tokens=True).items()
        if number not in without
    }
    surfaces = [piece.removeprefix(CONTINUATION) for piece in pieces.values()]
    unknown = old.special("unk")
    found = {}
    for (number, piece), as_word in zip(pieces.items(), old.pieces(surfaces), strict=True):
        ids = tuple(one for one in as_word.ids.tolist() if one != unknown)
        if piece.startswith(CONTINUATION):
            ids = _continuation_ids(old, piece.removeprefix(CONTINUATION)) or ids
        found[number] = ids
    return found


def _continuation_ids(old: Tokenizer, surface: str) -> tuple[int, ...]:
    """The old pieces that would go on a word with this surface, longest first; or none."""
    normalizer = old.backend.normalizer
    rest = normalizer.normalize_str(surface) if normalizer is not None else surface
    ids: list[int] = []
    while rest:
        ends = range(len(rest), 0, -1)
        numbers = ((end, old.backend.token_to_id(CONTINUATION + rest[:end])) for end in ends)
        end, number = next((pair for pair in numbers if pair[1] is not None), (0, None))
        if number is None:
            return ()
        ids.append(number)
        rest = rest[end:]
    return tuple(ids)


def _tiled(table: torch.Tensor, positions: int) -> torch.Tensor:
    return table.repeat(math.ceil(positions / len(table)), 1)[:positions]


def _stretched(table: torch.Tensor, positions: int) -> torch.Tensor:
    channels = table.double().T[None]
    stretched = functional.interpolate(channels, positions, mode="linear", align_corners=True)
    return stretched[0].T.to(table.dtype)


def _is_of_a_layer(name: str) -> bool:
    return name.startswith("layers.")


def rebuilt(
    settings: EncoderSettings, state: Mapping[str, torch.Tensor], *, like: Encoder
) -> Encoder:
    """An encoder of this shape and state that shares no memory with `like`, in its mode."""
    # On "meta" no weights are drawn, so that the caller's random state stays as it was.
    with torch.device("meta"):
        made = Encoder(settings)
    copies = {name: value.detach().clone() for name, value in state.items()}
    made.load_state_dict(copies, assign=True)
    return made.train(like.training)
