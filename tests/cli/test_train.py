"""`biobert train` from the command line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from biobert.core.model_folder import read_manifest
from biobert.data.reading import write_documents
from biobert.tasks.ner import NamedEntityRecognition
from tests.cli.calling import call
from tests.tiny import write_tiny_encoder_folder


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    write_documents(NamedEntityRecognition.toy_documents() * 4, folder / "toy.jsonl", "jsonl")
    encoder = write_tiny_encoder_folder(folder / "encoder")
    (folder / "toy.toml").write_text(
        f"""name = "toy"
        [task]
        name = "ner"
        labels = ["Chemical", "Disease"]
        [model]
        encoder = "{encoder}"
        [data]
        train = [{{ corpus = "{folder / "toy.jsonl"}" }}]
        devel = [{{ corpus = "{folder / "toy.jsonl"}" }}]
        [run]
        epochs = 1
        """
    )
    return folder / "toy.toml"


def test_a_recipe_becomes_a_model_that_can_be_evaluated(recipe: Path, tmp_path: Path) -> None:
    output = tmp_path / "model"
    setting = "optimizer.learning_rate=2e-3"
    found = call("train", recipe, "--output", output, "--set", setting, "--json")
    assert found.code == 0, found.err
    assert found.json["data"]["output"] == str(output)
    assert 0 <= found.json["data"]["metrics"]["devel"] <= 1
    assert read_manifest(output).recipe["optimizer"]["learning_rate"] == 2e-3
    scored = call("evaluate", output, recipe.with_name("toy.jsonl"), "--json")
    assert scored.code == 0, scored.err
    assert scored.json["data"]["scores"]["micro"]["support"] == 20


@pytest.mark.parametrize(
    ("setting", "word", "code"),
    [
        ("optimizer.learning_rat=1", "learning_rate", 2),
        ("task.name=nerr", "ner", 2),
        ("model.encoder=/nowhere/at/all", "/nowhere/at/all", 1),
        ("run.precision=float8", "bf16", 2),
        ("run.epochs=zero", "expected int", 2),
        ("nonsense", "table.key=value", 2),
    ],
)
def test_wrong_settings_name_the_cure(
    recipe: Path, tmp_path: Path, setting: str, word: str, code: int
) -> None:
    arguments: list[Any] = ["train", recipe, "--output", tmp_path / "model", "--set", setting]
    found = call(*arguments, "--json")
    assert found.code == code
    assert word in found.json["error"]["message"]
    assert not (tmp_path / "model" / "biobert.json").exists()


def test_torchrun_trains_one_model_with_two_processes(recipe: Path, tmp_path: Path) -> None:
    output = tmp_path / "model"
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "biobert", "train", str(recipe), "--output", str(output), "--json"),
        *("--set", "run.epochs=12", "--set", "optimizer.learning_rate=5e-3"),
    ]
    environment = {"PATH": str(Path(sys.executable).parent), "HOME": str(tmp_path)}
    environment |= {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    # Only the first process speaks.
    assert json.loads(done.stdout)["ok"] is True
    said = [line for line in done.stderr.splitlines() if line.startswith("step ")]
    assert len(said) == len(set(said)) == 12
    lines = (output / "history.jsonl").read_text().splitlines()
    losses = [row["loss"] for row in map(json.loads, lines) if "loss" in row]
    assert losses[-1] < 0.5 * losses[0]
    assert read_manifest(output).name == "toy"
