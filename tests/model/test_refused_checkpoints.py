"""A checkpoint that is damaged, not all there or no encoder is refused, and what is wrong named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from biobert.core.errors import BadInputError
from biobert.core.task import HeadSpec, LabelGroup
from biobert.model.hub import load_encoder, load_trained_network
from biobert.model.network import Network
from biobert.model.weights import save_network
from tests.model.test_hub import SIZES, TAGS, write
from tests.tiny import write_tiny_encoder_folder


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:500])


def rename_weights(folder: Path, new: Callable[[str], str | None]) -> None:
    """The weights under other names; those without one are left out."""
    path = folder / "model.safetensors"
    named = ((new(name), one) for name, one in load_file(path).items())
    save_file({name: one for name, one in named if name}, path, metadata={"format": "pt"})


def change_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def scatter_weights(folder: Path) -> None:
    """The index of a checkpoint in two files, of which one is lost."""
    (folder / "model.safetensors").rename(folder / "one.safetensors")
    names = load_file(folder / "one.safetensors")
    places = {name: f"{'two' if 'layer.1' in name else 'one'}.safetensors" for name in names}
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (lambda folder: cut(folder / "model.safetensors"), "damaged weights"),
    "config cut": (lambda folder: (folder / "config.json").write_text("{"), "not valid JSON"),
    "shape": (lambda folder: change_config(folder, hidden_size=64), r"has shape \(.*says \("),
    "layer": (
        lambda folder: rename_weights(folder, lambda name: None if "layer.1" in name else name),
        "weights lack '.*layer.1",
    ),
    "names": (
        lambda folder: rename_weights(folder, lambda name: f"student.{name}"),
        "weights lack '",
    ),
    "shard": (scatter_weights, "two.safetensors"),
    "heads alone": (
        lambda folder: (folder / "model.safetensors").rename(folder / "heads.safetensors"),
        "no model.safetensors; copy",
    ),
}


@pytest.mark.parametrize("kind", ["bert", "roberta"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_named(kind: str, damage: str, tmp_path: Path) -> None:
    make = write_tiny_encoder_folder if kind == "bert" else lambda folder: write(folder, kind)
    folder = make(tmp_path / "encoder")
    do, message = DAMAGES[damage]
    do(folder)
    with pytest.raises(BadInputError, match=message) as refused:
        load_encoder(folder)
    assert str(folder) in str(refused.value)


def test_a_missing_pooler_is_no_damage(tmp_path: Path) -> None:
    folder = write(tmp_path / "encoder", "roberta")
    rename_weights(folder, lambda name: None if "pooler" in name else f"roberta.{name}")
    load_encoder(folder)


def test_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "encoder", "roberta")
    change_config(folder, model_type="novelbert")
    with pytest.raises(BadInputError, match=r"encoder: cannot be opened: .*novelbert"):
        load_encoder(folder)


@pytest.mark.parametrize("kind", ["bert", "electra"])
def test_relative_positions_are_refused(kind: str, tmp_path: Path) -> None:
    """transformers 5 would run these checkpoints with the absolute positions they do not have."""
    make = write_tiny_encoder_folder if kind == "bert" else lambda folder: write(folder, kind)
    folder = make(tmp_path / "encoder")
    change_config(folder, position_embedding_type="relative_key")
    path = folder / "model.safetensors"
    name = "encoder.layer.0.attention.self.distance_embedding.weight"
    save_file({**load_file(path), name: torch.zeros(259, 8)}, path, metadata={"format": "pt"})
    with pytest.raises(BadInputError, match=r"encoder.*position_embedding_type"):
        load_encoder(folder)


def test_heads_that_are_lost_or_others_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "trained"
    torch.manual_seed(1)
    network = Network(load_encoder(write(tmp_path / "encoder", "roberta")), [TAGS]).eval()
    save_network(network, folder)
    ids = torch.tensor([[0, 9, 12, 2]])
    assert torch.equal(load_trained_network(folder, [TAGS])(ids)["tags"], network(ids)["tags"])
    other = HeadSpec("tags", "token", (LabelGroup("B", ("O", "B", "I")),))
    with pytest.raises(BadInputError, match=r"heads.safetensors: no 'tags.classifier.* \(3, 32\)"):
        load_trained_network(folder, [other])
    cut(folder / "heads.safetensors")
    with pytest.raises(BadInputError, match=r"heads.safetensors: damaged weights"):
        load_trained_network(folder, [TAGS])
    (folder / "heads.safetensors").unlink()
    with pytest.raises(BadInputError, match=r"trained/heads.safetensors; copy the whole folder"):
        load_trained_network(folder, [TAGS])


def tiny(name: str, *, model: str | None = None, **sizes: Any) -> Any:
    """A tiny model of transformers; `model` is its class where a configuration has several."""
    config = getattr(transformers, f"{name}Config")(vocab_size=90, **sizes)
    return getattr(transformers, model or f"{name}Model")(config)


ENDS = {"bos_token_id": 0, "eos_token_id": 2}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 130, **ENDS}
BART = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 48}
BART |= {"decoder_ffn_dim": 48, "encoder_attention_heads": 4, "decoder_attention_heads": 4}
T5 = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 1, "num_heads": 4}
FUNNEL = {"d_model": 32, "block_sizes": [1, 1], "n_head": 4, "d_head": 8, "d_inner": 48}
UNFIT: dict[str, tuple[Callable[[], Any], str]] = {
    "gpt2": (lambda: tiny("GPT2", **GPT2), "'gpt2' is a decoder"),
    "biogpt": (lambda: tiny("BioGpt", **SIZES), "'biogpt' is a decoder"),
    "bart": (lambda: tiny("Bart", **BART), "'bart' has a decoder"),
    "t5": (lambda: tiny("T5", **T5), "'t5' has no cls token"),
    "t5 encoder": (lambda: tiny("T5", model="T5EncoderModel", **T5), "'t5' has no cls token"),
    "nystromformer": (
        lambda: tiny("Nystromformer", **SIZES, num_landmarks=4, segment_means_seq_len=128),
        "'nystromformer' does not take rows of any length",
    ),
    "funnel base": (
        lambda: tiny("Funnel", model="FunnelBaseModel", **FUNNEL),
        "'funnel' has no vector for every token",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_is_no_encoder_is_refused(name: str, tmp_path: Path) -> None:
    make, message = UNFIT[name]
    make().save_pretrained(tmp_path)
    with pytest.raises(BadInputError, match=f"{tmp_path}: model_type {message}.*; name an encoder"):
        load_encoder(tmp_path)


def test_rows_of_distances_alone_have_no_end(tmp_path: Path) -> None:
    tiny("XLNet", d_model=32, n_layer=2, n_head=4, d_inner=48).save_pretrained(tmp_path)
    encoder = load_encoder(tmp_path).eval()
    assert encoder.maximum_positions > 1_000_000
    with torch.no_grad():
        assert encoder(torch.full((1, 600), 9)).shape == (1, 600, 32)


def test_sparse_attention_outlives_the_loading(tmp_path: Path) -> None:
    tiny("BigBird", **SIZES, attention_type="block_sparse").save_pretrained(tmp_path)
    assert load_encoder(tmp_path).model.attention_type == "block_sparse"
