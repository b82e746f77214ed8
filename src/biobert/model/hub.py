"""Any encoder of transformers behind the contract of our own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from biobert.core.errors import BadInputError
from biobert.core.model_folder import WEIGHTS
from biobert.core.task import HeadSpec
from biobert.model.adaptation import (
    DESCRIPTION,
    Adaptation,
    fill_adapter,
    read_adaptation,
    shared_copy,
)
from biobert.model.checkpoint import find_encoder_folder, has_tokenizer
from biobert.model.encoder import Encoder, Pooler
from biobert.model.network import Network
from biobert.model.settings import EncoderSettings
from biobert.model.tensors import damage_named, read_wanted, write_tensors
from biobert.model.weights import INDEX, load_bert, load_heads, read_config, without_weights
from biobert.text.tokenizer import Tokenizer

UNBOUNDED = 1 << 30
OTHERS = "name an encoder such as BERT, RoBERTa, ELECTRA, DeBERTa or ModernBERT"
T5_KINDS = ("t5", "mt5", "umt5")
"""Their vocabularies have no token that a row could begin with."""


class HubEncoder(nn.Module):
    """A `transformers.AutoModel` (DeBERTa, ELECTRA, RoBERTa, ModernBERT, ...)."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        if isinstance(pooler := getattr(model, "pooler", None), nn.Module):
            # Heads read ours; this one would wait for gradients that never come under DDP.
            pooler.requires_grad_(False)
        config = model.config
        self.hidden_size = int(config.hidden_size)  # type: ignore[union-attr,arg-type]
        self.layer_count = int(config.num_hidden_layers)  # type: ignore[union-attr,arg-type]
        self.maximum_positions = _positions(model)
        self.segment_types = int(getattr(config, "type_vocab_size", 0) or 0)
        self.pooler = Pooler(
            EncoderSettings(vocabulary_size=1, hidden_size=self.hidden_size, heads=1)
        )

    @property
    def word_embeddings(self) -> nn.Module:
        """What turns token ids into word vectors."""
        embeddings: nn.Module = self.model.get_input_embeddings()  # type: ignore[operator]
        return embeddings

    def forward(
        self,
        token_ids: torch.Tensor,
        segment_ids: torch.Tensor | None = None,
        sequence_ids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(rows, length) ids to (rows, length, hidden) vectors; rows hold one sequence each."""
        if sequence_ids is None:
            sequence_ids = torch.ones_like(token_ids)
        elif sequence_ids.dtype != torch.bool and int(sequence_ids.max()) > 1:
            raise BadInputError("packed rows need our own encoder; use padded rows for this model")
        inputs = {"input_ids": token_ids, "attention_mask": sequence_ids.long()}
        if segment_ids is not None and self.segment_types > 1:
            inputs["token_type_ids"] = segment_ids
        hidden: torch.Tensor = self.model(**inputs).last_hidden_state
        return hidden

    def save(self, folder: Path, heads: nn.Module) -> None:
        """Write the model as transformers does, and the heads beside it."""
        self.model.save_pretrained(folder)  # type: ignore[operator]
        write_tensors(self.beside(heads), folder / HEADS)

    def beside(self, heads: nn.Module) -> dict[str, torch.Tensor]:
        """What transformers' own file has no place for: the heads, and the pooler they read."""
        return {**heads.state_dict(), **self.pooler.state_dict(prefix="pooler.")}


HEADS = "heads.safetensors"


def _positions(model: nn.Module) -> int:
    """How long a row may be. RoBERTa counts positions from behind that of its padding token."""
    limit = int(getattr(model.config, "max_position_embeddings", 0) or 0)
    if limit <= 0:
        # XLNet, which knows distances alone, says -1.
        return UNBOUNDED
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None):
            return limit - int(module.padding_idx) - 1
    return limit


def load_encoder(folder: Path) -> Encoder | HubEncoder:
    """Our encoder for a BERT folder, transformers' for any other kind.

    Raises BadInputError where weights are damaged or missing, where the model is no encoder that
    reads both ways, and where the folder's tokenizer gives ids that the encoder does not know.
    """
    encoder = _load_encoder(folder)
    if has_tokenizer(folder):
        embeddings: torch.Tensor = encoder.word_embeddings.weight  # type: ignore[assignment]
        Tokenizer.from_folder(folder).check_embeddings(len(embeddings), place=folder)
    return encoder


def _load_encoder(folder: Path) -> Encoder | HubEncoder:
    kind = read_config(folder).get("model_type", "bert")
    if kind == "bert":
        return load_bert(folder)
    if kind == "encoder-decoder":
        raise BadInputError(f"{folder} is an encoder with a decoder: `biobert generate` is its use")
    if kind in T5_KINDS:
        raise BadInputError(
            f"{folder}: model_type {kind!r} has no cls token, and rows begin with one; {OTHERS}"
        )
    if not any((folder / name).is_file() for name in (WEIGHTS, INDEX)):
        raise without_weights(folder)
    from transformers import AutoModel

    try:
        encoder = HubEncoder(read_weights(AutoModel, folder))
    except (OSError, ValueError) as problem:
        raise BadInputError(f"{folder}: cannot be opened: {_first_line(problem)}") from None
    if reason := _unfitness(encoder):
        raise BadInputError(f"{folder}: model_type {kind!r} {reason}; {OTHERS}")
    if (folder / HEADS).is_file():
        _fill_pooler(encoder, folder)
    return encoder


def _unfitness(encoder: HubEncoder) -> str | None:
    """Why a model gives no vectors of tokens that see all of their row, or None where it does."""
    if encoder.model.config.is_encoder_decoder:  # type: ignore[union-attr]
        return "has a decoder, whose states are no vectors of what is read"
    rows = torch.tensor([[4, 5, 6], [4, 5, 7]])
    try:
        with torch.no_grad():
            # On a copy: BigBird gives its sparse attention up for good when a row is short.
            vectors = shared_copy(encoder)(rows)
    except (RuntimeError, TypeError) as problem:
        return f"does not take rows of any length ({_first_line(problem)})"
    if vectors.shape[:2] != rows.shape:
        return "has no vector for every token"
    first, second = vectors[:, 0]
    if (first - second).norm() < 1e-5 * first.norm():
        return "is a decoder: its tokens do not see what follows them"
    return None


def read_weights(kind: Any, folder: Path) -> Any:
    """A model of a class of transformers, from safetensors alone, without a bar of progress.

    It is in float32 whatever was published, as weights that learn have to be. Raises BadInputError
    where weights are damaged or not all there.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()
    with damage_named(folder):
        model, found = kind.from_pretrained(
            folder,
            use_safetensors=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    _check_found(model, found, folder)
    return model


def _check_found(model: nn.Module, found: Mapping[str, Any], folder: Path) -> None:
    """An error where transformers has drawn weights, or left some that it cannot use."""
    for name, there, wanted in sorted(found["mismatched_keys"]):
        raise BadInputError(
            f"{folder}: {name!r} has shape {tuple(there)}, config.json says {tuple(wanted)}"
        )
    learnt = {name for name, one in model.named_parameters() if one.requires_grad}
    missing = [name for name in found["missing_keys"] if name in learnt and "pooler" not in name]
    if missing:
        raise BadInputError(
            f"{folder}: weights lack {min(missing)!r}, {len(missing)} tensors in all; copy the "
            "whole checkpoint, with the names that transformers gives"
        )
    if any("distance_embedding" in name for name in found["unexpected_keys"]):
        raise BadInputError(
            f"{folder}: transformers no longer knows the relative positions of this checkpoint "
            "(position_embedding_type in config.json); name one with absolute positions"
        )


def _first_line(problem: Exception) -> str:
    return str(problem).strip().partition("\n")[0]


def load_trained_network(
    folder: Path, heads: Sequence[HeadSpec], *, bases: dict[str, nn.Module] | None = None
) -> Network:
    """The network of a trained model folder, ready to predict.

    Adapters that are loaded with the same `bases` (encoders by checksum) share their weights.
    """
    adaptation = read_adaptation(folder)
    if adaptation is None:
        network = Network(load_encoder(folder), heads)
        load_trained_heads(network, folder)
        return network.eval()
    base = _base_encoder(adaptation, folder, {} if bases is None else bases)
    network = Network(base, heads)
    fill_adapter(network, folder, adaptation)
    return network.eval()


def _base_encoder(adaptation: Adaptation, folder: Path, bases: dict[str, nn.Module]) -> nn.Module:
    checksum, name = adaptation.base.sha256, adaptation.base.encoder
    if checksum not in bases:
        try:
            bases[checksum] = load_encoder(find_encoder_folder(name))
        except BadInputError as problem:
            raise BadInputError(
                f"{folder} is an adapter of the encoder {name!r}: {problem}; bring it back, or "
                f"say in {DESCRIPTION} where it is now",
                code="not-found",
            ) from None
    return shared_copy(bases[checksum])


def load_trained_heads(network: Network, folder: Path) -> None:
    """Fill the network's heads, and the pooler they read, from a folder that training wrote."""
    if isinstance(network.encoder, Encoder):
        load_heads(network, folder)
        return
    assert isinstance(network.encoder, HubEncoder)
    wanted = network.encoder.beside(network.heads)
    found = read_wanted(folder / HEADS, wanted)
    with torch.no_grad():
        for name, own in wanted.items():
            own.copy_(found[name])


def _fill_pooler(encoder: HubEncoder, folder: Path) -> None:
    """Of a folder that training wrote: new heads go on from the pooler that its heads read."""
    own = encoder.pooler.state_dict(prefix="pooler.")
    found = read_wanted(folder / HEADS, own)
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(found[name])
