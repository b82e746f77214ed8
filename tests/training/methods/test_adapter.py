"""Adapters: few weights learn, little is written, and it is used, merged and switched."""

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from biobert.core.errors import BadInputError, BiobertError
from biobert.core.task import HeadSpec, LabelGroup
from biobert.model.adaptation import (
    Adaptation,
    BaseEncoder,
    adapt,
    merge_adapter,
    merged,
    unmerge_adapter,
    weights_checksum,
)
from biobert.model.adapters import SHELF, AdapterSettings
from biobert.model.adapters._settings import READ_BY
from biobert.model.hub import HubEncoder, load_encoder, load_trained_network
from biobert.model.network import Network
from biobert.pipeline.adapters import load_adapters
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.load import load_model
from biobert.tasks.ner import NamedEntityRecognition
from biobert.training.batches import network_logits
from biobert.training.optimizer import build_optimizer
from biobert.training.recipe import OptimizerSettings, Recipe
from tests.tiny import write_tiny_encoder_folder
from tests.training.methods.conftest import ANSWERS, MENTIONS, Bench

KINDS = ("bottleneck", "ia3", "lora", "prefix", "prompt")
SPEC = HeadSpec("tags", "token", (LabelGroup("A", ("O", "B")),))


def sized(kind: str, **sizes: int) -> dict[str, Any]:
    """A table of the kind, with those of the sizes that it reads."""
    return {"kind": kind, **{name: size for name, size in sizes.items() if kind in READ_BY[name]}}


def test_the_shelf() -> None:
    assert SHELF.names() == sorted(KINDS)
    assert {kind for kinds in READ_BY.values() for kind in kinds} == set(KINDS)
    assert {"kind", *READ_BY} == {field.name for field in fields(AdapterSettings)}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_takes_the_settings_that_it_reads(kind: str) -> None:
    others = {"rank": 2, "alpha": 1.0, "dropout": 0.1, "size": 8, "length": 3, "targets": ("x",)}
    for name, value in others.items():
        if kind in READ_BY[name]:
            assert getattr(AdapterSettings(**{"kind": kind, name: value}), name) == value
        else:
            with pytest.raises(BadInputError, match=rf"'{kind}', {name} = .* leave {name} at"):
                AdapterSettings(**{"kind": kind, name: value})
    # One from elsewhere may read any of them.
    assert AdapterSettings(kind="another", rank=2, length=3).length == 3


def trained(made: Bench) -> set[str]:
    return {name for name, one in made.network.named_parameters() if one.requires_grad}


WHERE = {
    "lora": ("lora_A", "lora_B"),
    "ia3": ("ia3_l",),
    "bottleneck": (".up.", ".down.", "norm"),
    "prefix": (".keys", ".values"),
    "prompt": ("encoder.prompt",),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", [MENTIONS, ANSWERS], ids=["ner", "classification"])
def test_adapter_and_heads_alone_have_gradients(
    bench: Callable[..., Bench], kind: str, task: dict[str, Any]
) -> None:
    made = bench(task, adapter=sized(kind, rank=2, size=4, length=2))
    made.loss().backward()
    having = {name for name, one in made.network.named_parameters() if one.grad is not None}
    assert having == trained(made)
    own = WHERE[kind] + (("pooler.",) if task is ANSWERS else ())
    for name in having:
        assert name.startswith("heads.") or any(part in name for part in own), name
    for part in WHERE[kind]:
        assert any(part in name for name in having), part


@pytest.mark.parametrize("kind", ["lora", "ia3"])
def test_these_begin_as_the_encoder_itself(bench: Callable[..., Bench], kind: str) -> None:
    plain, made = bench(), bench(adapter={"kind": kind})
    made.network.heads.load_state_dict(plain.network.heads.state_dict())
    assert torch.allclose(logits(made), logits(plain), atol=1e-6)


def logits(made: Bench) -> torch.Tensor:
    made.network.eval()
    with torch.no_grad():
        (found,) = network_logits(made.network, made.batch).values()
    return found


def stirred(made: Bench) -> Bench:
    """The bench with an adapter that does something."""
    torch.manual_seed(9)
    with torch.no_grad():
        for parameter in made.network.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter), alpha=0.3)
    return made


@pytest.mark.parametrize("kind", ["lora", "ia3"])
def test_merging_keeps_the_answers_and_unmerging_the_weights(
    bench: Callable[..., Bench], encoder: Path, kind: str
) -> None:
    made = stirred(bench(adapter=sized(kind, rank=3)))
    before = logits(made)
    weights = {name: one.detach().clone() for name, one in made.network.named_parameters()}
    merge_adapter(made.network)
    assert torch.allclose(logits(made), before, atol=1e-5)
    changed = [n for n, one in made.network.named_parameters() if not torch.equal(one, weights[n])]
    assert changed
    assert all("base_layer" in name for name in changed)
    unmerge_adapter(made.network)
    for name, one in made.network.named_parameters():
        assert torch.allclose(one, weights[name], atol=1e-5), name
    whole = merged(made.network)
    assert torch.allclose(logits(made), before, atol=1e-5)
    assert {n for n, _ in whole.encoder.named_parameters()} == {
        n for n, _ in load_encoder(encoder).named_parameters()
    }


@pytest.mark.parametrize("kind", ["bottleneck", "prefix", "prompt"])
def test_what_cannot_be_merged_says_so(bench: Callable[..., Bench], kind: str) -> None:
    with pytest.raises(BadInputError, match=f"kind '{kind}' cannot be merged"):
        merge_adapter(bench(adapter={"kind": kind}).network)


@pytest.mark.parametrize("kind", ["prefix", "prompt"])
def test_padding_does_not_matter(bench: Callable[..., Bench], kind: str) -> None:
    made = stirred(bench(adapter={"kind": kind, "length": 3}))
    made.network.eval()
    ids, mask = made.batch.token_ids, made.batch.mask
    assert mask is not None
    with torch.no_grad():
        padded = made.network(ids, None, mask)["tags"]
        row = int(mask.sum(1).argmin())
        length = int(mask[row].sum())
        alone = made.network(ids[row : row + 1, :length])["tags"]
    assert length < ids.shape[1]
    assert alone.shape[1] == length
    assert torch.allclose(padded[row, :length], alone[0], atol=1e-5)


def test_a_prefix_is_more_keys_and_values(bench: Callable[..., Bench]) -> None:
    """Against attention over rows whose first places hold the prefix's keys and values."""
    made = stirred(bench(adapter={"kind": "prefix", "length": 2}))
    made.network.eval()
    attention = made.network.encoder.layers[0].attention
    hidden = torch.randn(1, 4, 32)
    base = attention.base_layer
    with torch.no_grad():
        found = attention(hidden, None)
        keys = torch.cat([attention.keys[None], base.key(hidden)], 1).view(1, 6, 4, 8)
        values = torch.cat([attention.values[None], base.value(hidden)], 1).view(1, 6, 4, 8)
        queries = base.query(hidden).view(1, 4, 4, 8)
        scores = torch.einsum("rqhd,rkhd->rhqk", queries, keys) / 8**0.5
        context = torch.einsum("rhqk,rkhd->rqhd", scores.softmax(-1), values).flatten(2)
        wanted = base.output(context)
    assert torch.allclose(found, wanted, atol=1e-5)


def test_a_prompt_begins_with_words_of_the_vocabulary(
    bench: Callable[..., Bench], encoder: Path
) -> None:
    made = bench(adapter={"kind": "prompt", "length": 5})
    words = load_encoder(encoder).embeddings.word.weight
    for vector in made.network.encoder.prompt:
        assert (words == vector).all(dim=1).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parts", ["ner", "classification"])
def test_a_run_leaves_an_adapter_that_annotates(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path, kind: str, parts: str
) -> None:
    changes: dict[str, Any] = {}
    if parts == "classification":
        from tests.training.methods.test_every_method import for_classification

        changes = for_classification({"regularization": {"contrastive": 0.1}}, tmp_path)
    adapter = sized(kind, rank=4, size=8, length=4)
    run("out", **changes, adapter=adapter, run={"epochs": 2})
    folder = tmp_path / "out"
    assert not (folder / "model.safetensors").exists()
    description = json.loads((folder / "adapter.json").read_text())
    assert description["base"]["encoder"] == tables["model"]["encoder"]
    assert description["settings"]["kind"] == kind
    heads = load_model(folder).task.heads()
    best = load_file(folder / "adapter.safetensors")
    loaded = load_trained_network(folder, heads)
    for name, value in loaded.named_parameters():
        if value.requires_grad:
            assert torch.equal(value, best[name]), name
    assert Annotator(folder).annotate("Aspirin caused cardiac arrest.").text


def test_lora_learns_the_toy_documents(run: Callable[..., Any], tmp_path: Path) -> None:
    listener = run(
        "out",
        adapter={"kind": "lora", "rank": 8, "targets": ["query", "value", "expand", "contract"]},
        optimizer={"learning_rate": 2e-2},
        run={"epochs": 40},
    )
    assert sum(listener.losses[-5:]) < 0.3 * sum(listener.losses[:5])
    gold = NamedEntityRecognition.toy_documents()[0]
    found = Annotator(tmp_path / "out").annotate(gold.text)
    assert [(e.start, e.end) for e in found.entities] == [(e.start, e.end) for e in gold.entities]


def test_adapters_of_one_encoder_share_its_weights(run: Callable[..., Any], tmp_path: Path) -> None:
    run("first", adapter={"kind": "lora"}, run={"epochs": 1})
    run("second", adapter={"kind": "bottleneck"}, run={"epochs": 2, "seed": 2})
    heads = NamedEntityRecognition.from_settings({"labels": ["Chemical", "Disease"]}).heads()
    bases: dict[str, torch.nn.Module] = {}
    ids = torch.arange(4, 16).reshape(2, 6)
    alone = {n: load_trained_network(tmp_path / n, heads) for n in ("first", "second")}
    shared = {n: load_trained_network(tmp_path / n, heads, bases=bases) for n in alone}
    assert len(bases) == 1
    with torch.no_grad():
        for name in ("first", "second", "first"):
            for head, value in alone[name](ids).items():
                assert torch.equal(shared[name](ids)[head], value)
    frozen = [
        {id(p) for p in one.encoder.parameters() if not p.requires_grad} for one in shared.values()
    ]
    words = id(shared["first"].encoder.embeddings.word.weight)
    assert words in frozen[0] & frozen[1]
    assert len(frozen[0] & frozen[1]) > 20


def test_another_encoder_in_the_bases_place_is_refused(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    run("out", adapter={"kind": "lora"}, run={"epochs": 1})
    other = write_tiny_encoder_folder(tmp_path / "other", layers=1)
    path = tmp_path / "out" / "adapter.json"
    description = json.loads(path.read_text())
    for place, message in ((other, "weights differ"), (tmp_path / "gone", r"say in adapter.json")):
        description["base"]["encoder"] = str(place)
        path.write_text(json.dumps(description))
        with pytest.raises(BiobertError, match=message):
            Annotator(tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"optimizer": {"unfrozen_layers": 1}}, "optimizer.unfrozen_layers"),
        ({"optimizer": {"frozen_layers": 1}}, "optimizer.frozen_layers"),
        ({"model": {"layers": 4}}, "model.layers"),
        ({"model": {"reinitialised_layers": 1}}, "model.reinitialised_layers"),
        ({"run": {"parallel": "fsdp"}}, "run.parallel = 'fsdp'"),
    ],
)
def test_what_does_not_go_with_an_adapter_is_named(
    recipe: Callable[..., Recipe], changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(BadInputError, match=rf"\[adapter\] and {named} cannot be combined"):
        Bench(recipe(adapter={}, **changes))


def test_unknown_kinds_and_targets_are_named(bench: Callable[..., Bench]) -> None:
    with pytest.raises(BadInputError, match="did you mean 'lora'"):
        bench(adapter={"kind": "lorra"})
    for kind in ("lora", "bottleneck"):
        with pytest.raises(BadInputError, match=r"adapter.targets"):
            bench(adapter={"kind": kind, "targets": ["no_such_layer"]})


def hub_network(name: str) -> Network:
    import transformers

    sizes = {
        "vocab_size": 90,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
    }
    torch.manual_seed(2)
    config = getattr(transformers, f"{name}Config")(**sizes, max_position_embeddings=64)
    return Network(HubEncoder(getattr(transformers, f"{name}Model")(config)), [SPEC])


@pytest.mark.parametrize("name", ["Roberta", "Electra", "DebertaV2"])
@pytest.mark.parametrize("kind", ["lora", "ia3", "bottleneck"])
def test_encoders_of_transformers_take_adapters(name: str, kind: str) -> None:
    if (name, kind) == ("Electra", "ia3"):
        pytest.skip("peft has no choice of layers for it")
    network = hub_network(name)
    base = BaseEncoder("hub", weights_checksum(network.encoder))
    adapt(network, Adaptation(AdapterSettings(kind=kind), base))
    network(torch.arange(5, 15).reshape(2, 5))["tags"].sum().backward()
    having = {n for n, one in network.named_parameters() if one.grad is not None}
    assert having == {n for n, one in network.named_parameters() if one.requires_grad}
    for part in WHERE[kind]:
        assert any(part.lower() in one.lower() for one in having), part
    share = sum(network.get_parameter(one).numel() for one in having)
    assert share < 0.6 * sum(one.numel() for one in network.parameters())


@pytest.mark.parametrize("kind", ["prefix", "prompt"])
def test_these_need_our_own_encoder(kind: str) -> None:
    network = hub_network("Roberta")
    base = BaseEncoder("hub", weights_checksum(network.encoder))
    with pytest.raises(BadInputError, match="needs a BERT encoder"):
        adapt(network, Adaptation(AdapterSettings(kind=kind), base))


def test_adapters_loaded_together_answer_as_each_alone(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    rate = {"learning_rate": 2e-2}
    run("first", adapter={"kind": "lora"}, optimizer=rate, run={"epochs": 8})
    run("second", adapter={"kind": "prompt"}, optimizer=rate, run={"epochs": 6, "seed": 2})
    models = {name: tmp_path / name for name in ("first", "second")}
    together = {name: Annotator(model) for name, model in load_adapters(models).items()}
    text = NamedEntityRecognition.toy_documents()[0].text
    for name in ("first", "second", "first"):
        found = together[name].annotate(text).entities
        assert [(e.start, e.end, e.label) for e in found] == [
            (e.start, e.end, e.label) for e in Annotator(models[name]).annotate(text).entities
        ]


def test_a_whole_model_is_no_adapter(run: Callable[..., Any], tmp_path: Path) -> None:
    run("whole", run={"epochs": 1})
    with pytest.raises(BadInputError, match="holds a whole model, no adapter"):
        load_adapters({"whole": tmp_path / "whole"})


def test_the_factors_of_ia3_do_not_decay(bench: Callable[..., Bench]) -> None:
    network = bench(adapter={"kind": "ia3"}).network
    optimizer = build_optimizer(network, OptimizerSettings(weight_decay=0.1))
    decay = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    found = {decay[id(one)] for name, one in network.named_parameters() if "ia3_" in name}
    assert found == {0.0}
