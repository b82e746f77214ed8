"""Encoders with fewer layers, attention heads or feed-forward neurons: the same weights, without
those of the parts that go."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from biobert.core.errors import BadInputError
from biobert.model.encoder import Encoder
from biobert.model.surgery import rebuilt, stacked

Kept = Sequence[Sequence[int]]
"""For each layer the numbers of what stays, in order; as many in every layer."""


def with_layers(encoder: Encoder, kept: Sequence[int]) -> Encoder:
    """The encoder with these layers, in this order."""
    _check_numbers(kept, encoder.layer_count, "layers")
    return stacked(encoder, kept)


def with_neurons(encoder: Encoder, kept: Kept) -> Encoder:
    """The encoder with these neurons of each feed-forward, which transformers opens as well."""
    size = _uniform(encoder, kept, encoder.settings.intermediate_size, "feed-forward neurons")
    state = encoder.state_dict()
    for number, neurons in enumerate(kept):
        part = f"layers.{number}.feed_forward"
        _select_rows(state, torch.tensor(neurons), f"{part}.expand")
        _select_columns(state, torch.tensor(neurons), f"{part}.contract")
    return rebuilt(replace(encoder.settings, intermediate_size=size), state, like=encoder)


def with_heads(encoder: Encoder, kept: Kept) -> Encoder:
    """The encoder with these attention heads of each layer, each as wide as before.

    Heads and vectors together then have no shape that transformers knows.
    """
    settings = encoder.settings
    heads = _uniform(encoder, kept, settings.heads, "attention heads")
    if heads == settings.heads:
        return encoder
    size = settings.attention_width // settings.heads
    state = encoder.state_dict()
    for number, some in enumerate(kept):
        places = torch.tensor([head * size + place for head in some for place in range(size)])
        part = f"layers.{number}.attention"
        for name in ("query", "key", "value"):
            _select_rows(state, places, f"{part}.{name}")
        _select_columns(state, places, f"{part}.output")
    return rebuilt(replace(settings, heads=heads, head_size=size), state, like=encoder)


def _uniform(encoder: Encoder, kept: Kept, present: int, what: str) -> int:
    """How many stay in each layer."""
    sizes = {len(some) for some in kept}
    if len(kept) != encoder.layer_count or len(sizes) != 1:
        raise BadInputError(f"give the same number of {what} for each layer, not {sorted(sizes)}")
    for some in kept:
        _check_numbers(some, present, what)
    return sizes.pop()


def _check_numbers(kept: Sequence[int], present: int, what: str) -> None:
    if not kept or len(set(kept)) < len(kept) or not all(0 <= one < present for one in kept):
        raise BadInputError(f"{list(kept)} are no different {what} among 0 to {present - 1}")


def _select_rows(state: dict[str, torch.Tensor], places: torch.Tensor, linear: str) -> None:
    state[f"{linear}.weight"] = state[f"{linear}.weight"][places]
    state[f"{linear}.bias"] = state[f"{linear}.bias"][places]


def _select_columns(state: dict[str, torch.Tensor], places: torch.Tensor, linear: str) -> None:
    state[f"{linear}.weight"] = state[f"{linear}.weight"][:, places]
