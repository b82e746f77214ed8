"""Tiny real tokenizers and encoders that tests make on the spot."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from tokenizers import Tokenizer as Backend
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from biobert.text.tokenizer import Tokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,;:()-/'%<>=+"
WORDS = ["lithium", "cardiac", "arrest", "aspirin", "breast", "cancer", "diabetes", "and", "the"]


def tiny_tokenizer() -> Tokenizer:
    """A lower-casing WordPiece of single characters and a few whole words."""
    return tokenizer_of([*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS), *WORDS])


def tokenizer_of(
    pieces: Iterable[str], *, case: Literal["lowered", "kept"] = "lowered"
) -> Tokenizer:
    """A WordPiece of these pieces in this order, special ones among them."""
    ids = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    backend = Backend(WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=2000))
    backend.normalizer = BertNormalizer(lowercase=case == "lowered")
    backend.pre_tokenizer = BertPreTokenizer()
    backend.add_special_tokens([piece for piece in SPECIAL if piece in ids])
    return Tokenizer(backend)


def write_tiny_model_folder(
    folder: Path,
    *,
    task: str = "ner",
    labels: Sequence[str] = ("Disease", "Chemical"),
    others: Mapping[str, Any] | None = None,
    seed: int = 11,
) -> Path:
    """A trained-looking model folder: the tiny encoder with random heads for some labels.

    `others` are the settings of a task that is not told by its labels alone.
    """
    import torch

    from biobert.core.model_folder import ModelManifest
    from biobert.model.hub import load_encoder
    from biobert.model.network import Network
    from biobert.model.weights import save_network
    from biobert.tasks import build_task

    encoder_folder = write_tiny_encoder_folder(folder.with_name(f"{folder.name}-encoder"))
    settings = {"labels": list(labels)} if others is None else dict(others)
    torch.manual_seed(seed)
    network = Network(load_encoder(encoder_folder), build_task(task, settings).heads())
    for head in network.heads.values():
        # Random heads of some strength, so that all kinds of answers come about.
        if hasattr(head, "classifier"):
            torch.nn.init.normal_(head.classifier.weight, std=0.7)
    save_network(network, folder)
    tiny_tokenizer().save(folder)
    ModelManifest("tiny", task, settings).write(folder)
    return folder


def write_tiny_encoder_folder(
    folder: Path, *, layers: int = 2, kind: str = "BertModel", dropout: float = 0.1
) -> Path:
    """A Hugging Face BERT folder with random weights: 2 layers of width 32 by default.

    `kind` is a class of transformers, such as `BertForPreTraining`.
    """
    import torch
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer()
    torch.manual_seed(7)
    config = transformers.BertConfig(
        vocab_size=tokenizer.vocabulary_size,
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=512,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    getattr(transformers, kind)(config).save_pretrained(folder)
    tokenizer.save(folder)
    assert json.loads((folder / "config.json").read_text())["model_type"] == "bert"
    return folder


def sharp_encoder_decoder(*, seed: int, layers: int = 2) -> Any:
    """A tiny BERT2BERT of transformers with random weights of some strength: what it writes depends
    on the source, has several lengths, and is not the same piece again and again."""
    import torch
    import transformers

    torch.manual_seed(seed)
    shape = {
        "vocab_size": tiny_tokenizer().vocabulary_size,
        "hidden_size": 32,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 128,
    }
    decoder = transformers.BertConfig(**shape, is_decoder=True, add_cross_attention=True)
    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(
        transformers.BertConfig(**shape), decoder
    )
    config.decoder_start_token_id, config.pad_token_id = 2, 0
    model = transformers.EncoderDecoderModel(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=0.35 if "embeddings" in name else 0.25)
        # Else it would hardly ever come to an end.
        model.decoder.cls.predictions.bias[tiny_tokenizer().special("sep")] = 5.0
    return model
