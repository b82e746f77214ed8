"""Who learns, by depth: unfreezing layer after layer, and top layers that begin anew."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from biobert.core.errors import BadInputError
from biobert.model.hub import load_encoder
from biobert.model.network import Network
from biobert.training.methods.unfreezing import Unfreezing
from biobert.training.recipe import Recipe
from tests.training.methods.conftest import Bench

ENCODER = "bert.encoder.layer"


def moved(before: Path, after: Path) -> set[str]:
    """The parts of the encoder whose weights differ."""
    old, new = load_file(before / "model.safetensors"), load_file(after / "model.safetensors")
    names = {name for name in old if not torch.equal(old[name], new[name])}
    return {
        name.removeprefix(f"{ENCODER}.").split(".")[0] if name.startswith(ENCODER) else "embeddings"
        for name in names
        if name.startswith("bert.")
    }


def test_each_epoch_frees_a_layer_more_from_the_top(
    run: Callable[..., Any], tables: dict[str, Any], encoder: Path, tmp_path: Path
) -> None:
    model = {**tables["model"], "encoder": str(encoder)}
    for epochs in (1, 2, 3, 4):
        run(
            str(epochs),
            model=model,
            run={"epochs": epochs},
            optimizer={"unfrozen_layers": 1},
            schedule={"kind": "constant"},
        )
    # The runs are alike up to their ends, so each says what moved in its last epoch.
    assert moved(tmp_path / "1", tmp_path / "2") == {"2"}
    assert moved(tmp_path / "2", tmp_path / "3") == {"1", "2"}
    assert moved(tmp_path / "3", tmp_path / "4") == {"0", "1", "2", "embeddings"}


def test_the_first_epoch_leaves_the_encoder_as_it_is(
    run: Callable[..., Any], encoder: Path, tmp_path: Path
) -> None:
    run("one", model={"encoder": str(encoder)}, run={"epochs": 1}, optimizer={"unfrozen_layers": 1})
    old, new = (
        load_file(encoder / "model.safetensors"),
        load_file(tmp_path / "one/model.safetensors"),
    )
    compared = [name for name in old if f"bert.{name}" in new]
    assert len(compared) > 40
    assert all(torch.equal(old[name], new[f"bert.{name}"]) for name in compared)


def test_gradients_of_lower_layers_are_dropped(bench: Callable[..., Bench]) -> None:
    made = bench(optimizer={"unfrozen_layers": 2})
    (method,) = made.methods.members
    assert isinstance(method, Unfreezing)
    method.begin_epoch(1)
    made.loss().backward()
    method.before_update(made.network)
    left = {made.network.depth(n) for n, p in made.network.named_parameters() if p.grad is not None}
    assert left == {0, 1, 2}


def test_no_layers_an_epoch_is_refused(recipe: Callable[..., Recipe]) -> None:
    with pytest.raises(BadInputError, match="unfrozen_layers = 0: at least 1"):
        Bench(recipe(optimizer={"unfrozen_layers": 0}))


def test_frozen_layers_stay_out(bench: Callable[..., Bench]) -> None:
    made = bench(optimizer={"frozen_layers": 2})
    learning = {
        made.network.depth(n) for n, p in made.network.named_parameters() if p.requires_grad
    }
    assert learning == {0, 1}
    with pytest.raises(BadInputError, match="frozen_layers = 4: the encoder has 3 layers"):
        bench(optimizer={"frozen_layers": 4})


def test_the_top_layers_and_the_pooler_begin_anew(
    bench: Callable[..., Bench], encoder: Path
) -> None:
    made, published = bench(model={"reinitialised_layers": 2}), load_encoder(encoder)
    for name, new in made.network.encoder.named_parameters():
        old = published.get_parameter(name)
        depth = made.network.depth(f"encoder.{name}")
        assert torch.equal(new, old) == (depth > 2 or new.ndim == 1), name
        if depth <= 2 and new.ndim > 1:
            assert float(new.detach().std()) == pytest.approx(0.02, rel=0.2)


def test_norms_and_biases_begin_as_berts(bench: Callable[..., Bench], encoder: Path) -> None:
    made = bench()
    with torch.no_grad():
        for parameter in made.network.parameters():
            parameter.fill_(7.0)
    from biobert.training.methods.reinitialising import Reinitialising

    Reinitialising(1).prepare(made.network)
    top = made.network.encoder.layers[2]
    assert torch.equal(top.feed_forward_norm.weight, torch.ones(32))
    assert torch.equal(top.feed_forward_norm.bias, torch.zeros(32))
    assert torch.equal(top.attention.query.bias, torch.zeros(32))
    below = made.network.encoder.layers[1]
    assert torch.equal(below.attention_norm.weight, torch.full((32,), 7.0))


def test_more_layers_than_there_are_is_refused(bench: Callable[..., Bench]) -> None:
    with pytest.raises(BadInputError, match="reinitialised_layers = 4: the encoder has 3 layers"):
        bench(model={"reinitialised_layers": 4})


@pytest.mark.parametrize(
    ("kind", "top", "below"),
    [
        ("ModernBert", "final_norm.weight", "embeddings.norm.weight"),
        ("EuroBert", "norm.weight", "embed_tokens.weight"),
        ("Esm", "encoder.emb_layer_norm_after.weight", "embeddings.word_embeddings.weight"),
        ("MegatronBert", "encoder.ln.weight", "embeddings.word_embeddings.weight"),
        ("RobertaPreLayerNorm", "LayerNorm.weight", "embeddings.LayerNorm.weight"),
        ("DebertaV2", None, "encoder.LayerNorm.weight"),
    ],
)
def test_the_norm_behind_the_last_layer_is_of_its_depth(
    kind: str, top: str | None, below: str
) -> None:
    transformers = pytest.importorskip("transformers")
    from biobert.model.hub import HubEncoder

    sizes = {"vocab_size": 90, "hidden_size": 32, "intermediate_size": 48, "pad_token_id": 1}
    sizes |= {"num_attention_heads": 4, "num_hidden_layers": 3}
    # What DeBERTa norms outside its layers are its relative positions, which all of them read.
    relative = {"relative_attention": True, "norm_rel_ebd": "layer_norm", "pos_att_type": ["p2c"]}
    config = getattr(transformers, f"{kind}Config")(**sizes, **(relative if top is None else {}))
    network = Network(HubEncoder(getattr(transformers, f"{kind}Model")(config)), [])
    depths = {name: network.depth(name) for name, _ in network.named_parameters()}
    assert {one for name, one in depths.items() if ".layer" in name} >= {1, 2, 3}
    assert depths[f"encoder.model.{below}"] == 4
    if top is not None:
        assert depths[f"encoder.model.{top}"] == 1
