"""The average of models is the mean of their weights, and only of models that fit together."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from biobert.core.errors import BadInputError
from biobert.core.model_folder import WEIGHTS, read_manifest
from biobert.model.hub import HEADS, load_encoder
from biobert.model.network import Network
from biobert.pipeline.annotator import Annotator
from biobert.tasks import build_task
from biobert.text.tokenizer import Tokenizer
from biobert.training.average import average_models
from biobert.training.folder import TrainingReport, write_model_folder
from biobert.training.sources import Learner
from tests.cli.calling import call
from tests.model.test_hub import write as write_architecture
from tests.tiny import write_tiny_model_folder


@pytest.fixture
def moved(tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny model with every weight moved by one half."""
    folder = tmp_path / "moved"
    shutil.copytree(tiny_model, folder)
    tensors = load_file(folder / WEIGHTS)
    save_file({name: value + 0.5 for name, value in tensors.items()}, folder / WEIGHTS)
    return folder


def test_weights_are_the_mean(tiny_model: Path, moved: Path, tmp_path: Path) -> None:
    found = call("average", tiny_model, moved, "--output", tmp_path / "mean", "--json")
    assert found.code == 0, found.err
    before, after = load_file(tiny_model / WEIGHTS), load_file(tmp_path / "mean" / WEIGHTS)
    assert set(before) == set(after)
    for name, value in before.items():
        torch.testing.assert_close(after[name], value + 0.25)
    manifest = read_manifest(tmp_path / "mean")
    assert manifest.name == "mean"
    assert len(manifest.recipe["averaged"]) == 2
    assert Annotator(tmp_path / "mean").annotate("Lithium.").text == "Lithium."


def test_weights_in_shards_are_read(tiny_model: Path, moved: Path, tmp_path: Path) -> None:
    tensors = load_file(moved / WEIGHTS)
    (moved / WEIGHTS).unlink()
    shards: dict[str, dict[str, torch.Tensor]] = {"1.safetensors": {}, "2.safetensors": {}}
    for number, (name, value) in enumerate(tensors.items()):
        shards[f"{1 + number % 2}.safetensors"][name] = value
    for file, some in shards.items():
        save_file(some, moved / file)
    index = {"weight_map": {name: file for file, some in shards.items() for name in some}}
    (moved / "model.safetensors.index.json").write_text(json.dumps(index))
    average_models([moved, tiny_model], tmp_path / "mean", name="x")
    assert {path.name for path in (tmp_path / "mean").glob("*.safetensors*")} == {WEIGHTS}
    after = load_file(tmp_path / "mean" / WEIGHTS)
    for name, value in load_file(tiny_model / WEIGHTS).items():
        torch.testing.assert_close(after[name], value + 0.25)


def test_models_that_do_not_fit_are_refused(tiny_model: Path, moved: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="at least two"):
        average_models([tiny_model], tmp_path / "out", name="x")
    found = call("average", tiny_model, moved, "--output", moved)
    assert "exists" in found.err
    with pytest.raises(BadInputError, match="exists"):
        average_models([tiny_model, moved], moved, name="x")
    tensors = load_file(moved / WEIGHTS)
    save_file({**tensors, "bert.encoder.layer.9.x": torch.zeros(1)}, moved / WEIGHTS)
    for models in ([tiny_model, moved], [moved, tiny_model]):
        with pytest.raises(BadInputError, match=r"layer\.9"):
            average_models(models, tmp_path / "out", name="x")
    manifest = json.loads((moved / "biobert.json").read_text())
    manifest["task_settings"]["labels"] = ["Gene", "Species"]
    (moved / "biobert.json").write_text(json.dumps(manifest))
    with pytest.raises(BadInputError, match="differ in labels"):
        average_models([tiny_model, moved], tmp_path / "out", name="x")
    assert not (tmp_path / "out").exists()


def test_models_that_correct_for_other_shares_of_negatives_are_refused(tmp_path: Path) -> None:
    settings = {"labels": ["up"], "negative": "none", "pairs": [["Chemical", "Gene"]]}
    models = [
        write_tiny_model_folder(
            tmp_path / f"m-{share}", task="relations", others={**settings, "negatives": share}
        )
        for share in (0.3, 0.6)
    ]
    with pytest.raises(BadInputError, match="differ in negatives"):
        average_models(models, tmp_path / "out", name="x")


def test_heads_of_other_architectures_are_averaged_too(tmp_path: Path) -> None:
    encoder = write_architecture(tmp_path / "encoder", "electra")
    task = build_task("ner", {"labels": ["Disease"]})
    models = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        network = Network(load_encoder(encoder), task.heads())
        learner = Learner(task, Tokenizer.from_folder(encoder), network)
        report = TrainingReport({"name": str(seed)}, {}, {})
        write_model_folder(tmp_path / str(seed), learner, report)
        models.append(tmp_path / str(seed))
    average_models(models, tmp_path / "mean", name="x")
    one, other, mean = (load_file(place / HEADS) for place in (*models, tmp_path / "mean"))
    name = "tags.classifier.weight"
    torch.testing.assert_close(mean[name], (one[name] + other[name]) / 2)
    assert Annotator(tmp_path / "mean").annotate("lithium").text == "lithium"
