"""Two processes learn what one learns from the same batches, by every way to train."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from biobert.tasks.ner import NamedEntityRecognition
from biobert.training.checkpoint import checkpoints
from biobert.training.importance import write_importance
from tests.model.test_hub import write as write_hub_encoder
from tests.tiny import write_tiny_encoder_folder, write_tiny_model_folder
from tests.training.processes import launched

ALIKE: list[dict[str, Any]] = [
    {"adversarial": {"kind": "fgm"}},
    {"adversarial": {"kind": "pgd", "start": 0.0}, "regularization": {"focal": 2.0}},
    {"adapter": {"kind": "lora"}, "regularization": {"label_smoothing": 0.1}},
    {"adapter": {"kind": "prefix"}, "adversarial": {"kind": "fgm"}},
    {"optimizer": {"frozen_layers": 1}},
    {"model": {"positions": 600}},
]
COMPANY: dict[str, Any] = {
    "adversarial": {"kind": "freelb", "start": 0.0},
    "averaging": {"begin": 0.2, "decay": 0.8},
    "optimizer": {"unfrozen_layers": 1},
}


def plan(tables: dict[str, Any], lines: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A recipe without dropout, whose steps Adam does not blow up."""
    encoder = write_tiny_encoder_folder(folder / "encoder", dropout=0.0)
    optimizer = {"learning_rate": 5e-3, "epsilon": 1e-3, **lines.get("optimizer", {})}
    model = {"encoder": str(encoder), "dropout": 0.0, **lines.get("model", {})}
    run = {"epochs": 3}
    return {**tables, **lines, "model": model, "optimizer": optimizer, "run": run}


def launch(recipe: dict[str, Any], output: Path) -> dict[str, torch.Tensor]:
    """The weights that the run of two processes leaves."""
    done = launched(recipe, output)
    assert done.returncode == 0, done.stderr[-3000:]
    written = [load_file(path) for path in output.glob("*.safetensors")]
    return {name: weights for one in written for name, weights in one.items()}


def check_alike(run: Callable[..., Any], recipe: dict[str, Any], folder: Path) -> None:
    """Two processes must end where one does that adds up as many batches."""
    two = launch(recipe, folder / "two")
    run("one", **{**recipe, "batches": {"tokens": 96, "accumulation": 2}})
    (written,) = (folder / "one").glob("*.safetensors")
    one = load_file(written)
    assert one.keys() == two.keys()
    for name, weights in one.items():
        torch.testing.assert_close(weights, two[name], atol=2e-4, rtol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("lines", ALIKE)
def test_two_processes_are_one_that_accumulates(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path, lines: dict[str, Any]
) -> None:
    check_alike(run, plan(tables, lines, tmp_path), tmp_path)


@pytest.mark.slow
def test_two_learn_from_a_teacher_and_hold_on_as_one(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    teacher = write_tiny_model_folder(tmp_path / "teacher", labels=("Chemical", "Disease"))
    write_importance(teacher, NamedEntityRecognition.toy_documents())
    lines = {
        "model": {"encoder": str(teacher), "encoder_dropout": 0.0},
        "distillation": {"teacher": str(teacher), "hidden": 0.5},
        "consolidation": {"strength": 100.0},
    }
    check_alike(run, plan(tables, lines, tmp_path), tmp_path)


def test_two_killed_processes_go_on_as_if_they_had_lived(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    recipe = plan(tables, COMPANY, tmp_path)
    recipe["run"]["checkpoint_every_steps"] = 2
    assert launched(recipe, tmp_path / "two", last_step=5).returncode != 0
    (left,) = checkpoints(tmp_path / "two" / "checkpoints")
    assert left.name == "step-00000004"
    check_alike(run, recipe, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("regularization", [{}, {"rdrop": 1.0}], ids=["once", "twice a batch"])
def test_an_encoder_with_a_pooler_that_nobody_reads_learns_on_two(
    tables: dict[str, Any], tmp_path: Path, regularization: dict[str, float]
) -> None:
    roberta = write_hub_encoder(tmp_path / "roberta", "roberta")
    lines = {"model": {"encoder": str(roberta)}, "regularization": regularization}
    assert launch(plan(tables, lines, tmp_path), tmp_path / "two")


@pytest.mark.slow
@pytest.mark.parametrize(
    "lines", [COMPANY, {"model": {"reinitialised_layers": 1}}], ids=["freelb", "reinitialised"]
)
def test_sharded_weights_learn_the_same(
    tables: dict[str, Any], tmp_path: Path, lines: dict[str, Any]
) -> None:
    recipe = plan(tables, lines, tmp_path)
    copied = launch(recipe, tmp_path / "copied")
    recipe["run"] = {**recipe["run"], "parallel": "fsdp"}
    sharded = launch(recipe, tmp_path / "sharded")
    for name, weights in copied.items():
        torch.testing.assert_close(weights, sharded[name], atol=2e-4, rtol=2e-3)
