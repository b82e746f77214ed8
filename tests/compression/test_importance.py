"""Importance is the slope of the loss at a gate, as measured by opening and closing it a little."""

from pathlib import Path
from typing import Any

import pytest
import torch

from biobert.compression.importance import most_important, part_importance
from biobert.compression.recipe import read_compression_recipe
from biobert.compression.workbench import open_learner
from biobert.core.errors import BadInputError
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.model.heads import head_loss
from biobert.model.network import Network
from biobert.pipeline.compressing import compress
from biobert.tasks.embedding import Embedding
from biobert.training.batches import Row, collate, encode_rows, network_logits
from tests.tiny import write_tiny_model_folder
from tests.training.conftest import Recorder

STEP = 0.03
"""The loss is in float32: a smaller step drowns in its rounding."""


@pytest.fixture(scope="module")
def learned(tiny_model: Path) -> tuple[Network, list[Row]]:
    learner = open_learner(tiny_model)
    rows = encode_rows(learner.task, learner.task.toy_documents(), learner.tokenizer)[:2]
    return learner.network.double(), rows


def loss(network: Network, row: Row) -> float:
    batch = collate([row], network.specs, pad_id=0)
    logits = network_logits(network, batch)
    (spec,) = network.specs
    return float(head_loss(spec, logits[spec.name].double(), batch.targets[spec.name]))


def slope(network: Network, row: Row, gate: torch.Tensor) -> float:
    """By central differences: the loss with a bit more and a bit less of some weights."""
    whole = gate.detach().clone()
    found = []
    with torch.no_grad():
        for factor in (1 + STEP, 1 - STEP):
            gate.copy_(whole * factor)
            found.append(loss(network, row))
        gate.copy_(whole)
    return (found[0] - found[1]) / (2 * STEP)


def test_heads_and_neurons(learned: tuple[Network, list[Row]]) -> None:
    network, rows = learned
    found = part_importance(network, rows, pad_id=0)
    layer = network.encoder.layers[1]
    # What a head or neuron gives passes through these columns alone, so they are its gate.
    best = int(found.heads[1].argmax())
    head = layer.attention.output.weight.data[:, 8 * best : 8 * best + 8]
    expected = sum(abs(slope(network, row, head)) for row in rows) / len(rows)
    assert float(found.heads[1, best]) == pytest.approx(expected, rel=0.01)
    best = int(found.neurons[1].argmax())
    neuron = layer.feed_forward.contract.weight.data[:, best]
    expected = sum(slope(network, row, neuron) ** 2 for row in rows) / len(rows)
    assert float(found.neurons[1, best]) == pytest.approx(expected, rel=0.01)


def test_layers(learned: tuple[Network, list[Row]]) -> None:
    network, rows = learned
    found = part_importance(network, rows, pad_id=0)
    assert found.layers.shape == (2,)
    gate = torch.ones(())

    def gated(module, inputs, output):  # type: ignore[no-untyped-def]
        return inputs[0] + gate * (output - inputs[0])

    handle = network.encoder.layers[0].register_forward_hook(gated)
    expected = sum(slope(network, row, gate) ** 2 for row in rows) / len(rows)
    handle.remove()
    assert float(found.layers[0]) == pytest.approx(expected, rel=0.01)


def test_nothing_is_left_behind(learned: tuple[Network, list[Row]]) -> None:
    network, rows = learned
    part_importance(network, rows, pad_id=0)
    assert all(one.grad is None for one in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_the_most_important_come_in_order() -> None:
    assert most_important(torch.tensor([0.1, 0.9, 0.0, 0.5]), 2) == [1, 3]


@pytest.mark.parametrize(
    ("kind", "kept"), [("layers", "layers"), ("heads", "heads"), ("width", "intermediate_size")]
)
@pytest.mark.parametrize("rows", [0, -5])
def test_parts_are_weighed_on_something(kind: str, kept: str, rows: int) -> None:
    tables = {
        "name": "small",
        "steps": [{"kind": kind, kept: 1, "rows": rows}],
        "gate": [{"corpus": "NCBI-disease"}],
    }
    with pytest.raises(BadInputError, match=f"rows = {rows}: at least 1"):
        read_compression_recipe(tables, place="small.toml")


@pytest.mark.parametrize(
    "step",
    [{"kind": "layers", "layers": 1}, {"kind": "heads", "heads": 1}, {"kind": "width"}],
    ids=str,
)
def test_vectors_have_no_loss_of_a_single_row(step: dict[str, Any], tmp_path: Path) -> None:
    settings = {"passages": ["question", "context"]}
    model = write_tiny_model_folder(tmp_path / "model", task="embedding", others=settings)
    for name in ("pairs", "gate"):
        write_documents(Embedding.toy_documents(), tmp_path / f"{name}.jsonl")
    step = {"intermediate_size": 16, **step} if step["kind"] == "width" else step
    pairs, gate = ([{"corpus": str(tmp_path / f"{name}.jsonl")}] for name in ("pairs", "gate"))
    tables = {"name": "x", "steps": [step], "corpora": pairs, "gate": gate}
    recipe = read_compression_recipe(tables, place="x.toml")
    with pytest.raises(BadInputError, match="learns from pairs of rows"):
        compress(
            str(model),
            recipe,
            CorpusPlaces(tmp_path / "cache"),
            tmp_path / "out",
            listener=Recorder(),
            max_loss=100.0,
        )
    assert not (tmp_path / "out").exists()
