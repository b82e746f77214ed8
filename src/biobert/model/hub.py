"""Any encoder of transformers behind the contract of our own, and where to find it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from biobert.core.errors import BadInputError
from biobert.core.hub import CONVERT_FOLDER, find_published_folder
from biobert.core.model_folder import WEIGHTS
from biobert.core.task import HeadSpec
from biobert.model.adaptation import (
    DESCRIPTION,
    Adaptation,
    fill_adapter,
    read_adaptation,
    shared_copy,
)
from biobert.model.encoder import Encoder, Pooler
from biobert.model.network import Network
from biobert.model.settings import EncoderSettings
from biobert.model.tensors import write_tensors
from biobert.model.weights import load_bert, load_heads, read_config
from biobert.text.tokenizer import VOCABULARY_FILES, Tokenizer

T5_KINDS = ("t5", "mt5", "umt5")
WANTED_FILES = ("*.json", "*.safetensors", "vocab.txt", "merges.txt", "*.model")


class HubEncoder(nn.Module):
    """A `transformers.AutoModel` (DeBERTa, ELECTRA, RoBERTa, ModernBERT, T5 encoder, ...)."""

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
        tensors = {**heads.state_dict(), **self.pooler.state_dict(prefix="pooler.")}
        write_tensors(tensors, folder / HEADS)


HEADS = "heads.safetensors"


def _positions(model: nn.Module) -> int:
    """How long a row may be. RoBERTa counts positions from behind that of its padding token."""
    limit = int(getattr(model.config, "max_position_embeddings", 0) or 1 << 30)
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None):
            return limit - int(module.padding_idx) - 1
    return limit


def find_encoder_folder(name: str) -> Path:
    """The folder of a checkpoint: a path as it is, or a Hugging Face name fetched once.

    Only safetensors are fetched: the publisher's own, or else those of the hub's conversion.
    """
    return find_published_folder(name, WANTED_FILES)


def load_encoder(folder: Path) -> Encoder | HubEncoder:
    """Our encoder for a BERT folder, transformers' for any other kind.

    Raises BadInputError where the folder's tokenizer gives ids that the encoder does not know.
    """
    encoder = _load_encoder(folder)
    if any((folder / name).is_file() for name in VOCABULARY_FILES):
        embeddings: torch.Tensor = encoder.word_embeddings.weight  # type: ignore[assignment]
        Tokenizer.from_folder(folder).check_embeddings(len(embeddings), place=folder)
    return encoder


def _load_encoder(folder: Path) -> Encoder | HubEncoder:
    config = read_config(folder)
    absolute = config.get("position_embedding_type", "absolute") == "absolute"
    if config.get("model_type", "bert") == "bert" and absolute:
        return load_bert(folder)
    if config.get("model_type") == "encoder-decoder":
        raise BadInputError(f"{folder} is an encoder with a decoder: `biobert generate` is its use")
    from transformers import AutoModel, AutoModelForTextEncoding

    if not list(folder.glob("*.safetensors")):
        command = CONVERT_FOLDER.format(folder=folder)
        raise BadInputError(f"{folder}: no {WEIGHTS}; convert pickled weights once: {command}")
    # AutoModel would give these with their decoder.
    make = AutoModelForTextEncoding if config["model_type"] in T5_KINDS else AutoModel
    return HubEncoder(read_weights(make, folder))


def read_weights(kind: Any, folder: Path) -> Any:
    """A model of a class of transformers, from safetensors alone, without a bar of progress."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    return kind.from_pretrained(folder, use_safetensors=True)


def load_trained_network(
    folder: Path, heads: Sequence[HeadSpec], *, bases: dict[str, nn.Module] | None = None
) -> Network:
    """The network of a trained model folder, ready to predict.

    Adapters that are loaded with the same `bases` (encoders by checksum) share their weights.
    """
    adaptation = read_adaptation(folder)
    if adaptation is None:
        network = Network(load_encoder(folder), heads)
        _load_heads(network, folder)
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


def _load_heads(network: Network, folder: Path) -> None:
    if isinstance(network.encoder, Encoder):
        load_heads(network, folder)
        return
    tensors = load_file(folder / HEADS)
    pooler = {
        key.removeprefix("pooler."): tensors.pop(key)
        for key in list(tensors)
        if key.startswith("pooler.")
    }
    network.encoder.pooler.load_state_dict(pooler)  # type: ignore[union-attr]
    network.heads.load_state_dict(tensors)
