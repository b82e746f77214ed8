"""Every way to train: off by default, alone and in company, exact to resume."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from biobert.core.errors import BadInputError
from biobert.data.reading import write_documents
from biobert.tasks.classification import Classification
from biobert.training.methods import SHELF, build_methods
from biobert.training.recipe import Recipe
from tests.training.methods.conftest import ANSWERS
from tests.training.test_resume import weights

# Recipe lines for each file on the shelf; a file without any fails below. Two learn from a trained
# model, and are held to the same in tests of their own.
FROM_A_MODEL = {"consolidation", "distillation"}
LINES: dict[str, list[dict[str, Any]]] = {
    "adapter": [
        {"adapter": {"kind": "lora", "rank": 4, "dropout": 0.1}},
        {"adapter": {"kind": "ia3"}},
        {"adapter": {"kind": "bottleneck", "size": 8}},
        {"adapter": {"kind": "prefix", "length": 3}},
        {"adapter": {"kind": "prompt", "length": 3}},
    ],
    "adversarial": [
        {"adversarial": {"kind": "fgm"}},
        {"adversarial": {"kind": "pgd", "steps": 2}},
        {"adversarial": {"kind": "freelb", "steps": 2}},
    ],
    "averaging": [
        {"averaging": {"kind": "exponential", "begin": 0.2}},
        {"averaging": {"kind": "uniform", "begin": 0.2, "every_steps": 2}},
    ],
    "contrastive": [{"regularization": {"contrastive": 0.5}}],
    "focal": [{"regularization": {"focal": 2.0}}],
    "freezing": [{"optimizer": {"frozen_layers": 1}}],
    "rdrop": [{"regularization": {"rdrop": 1.0}}],
    "reinitialising": [{"model": {"reinitialised_layers": 1}}],
    "smoothing": [{"regularization": {"label_smoothing": 0.1}}],
    "unfreezing": [{"optimizer": {"unfrozen_layers": 1}}],
}
CASES = [(name, lines) for name, cases in LINES.items() for lines in cases]
IDS = [f"{name}-{next(iter(lines.values())).get('kind', '')}" for name, lines in CASES]
COMPANY: list[dict[str, Any]] = [
    {"regularization": {"rdrop": 1.0, "focal": 2.0}, "adversarial": {"kind": "freelb"}},
    {
        "regularization": {"label_smoothing": 0.1, "rdrop": 1.0},
        "adversarial": {"kind": "pgd"},
        "adapter": {"kind": "lora"},
        "averaging": {"begin": 0.3},
    },
    {
        "model": {"reinitialised_layers": 1},
        "optimizer": {"unfrozen_layers": 1, "layer_decay": 0.9},
        "adversarial": {"kind": "fgm"},
        "averaging": {"kind": "uniform", "begin": 0.3},
    },
]


def for_classification(lines: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The lines, with the task that contrast needs."""
    if "contrastive" not in lines.get("regularization", {}):
        return lines
    toy = folder / "answers.jsonl"
    write_documents(Classification.toy_documents() * 6, toy, "jsonl")
    return {**lines, "task": ANSWERS, "data": {"train": [{"corpus": str(toy)}]}}


def test_every_file_has_its_lines() -> None:
    assert sorted({*LINES, *FROM_A_MODEL}) == SHELF.names()


def test_a_plain_recipe_has_no_method(recipe: Callable[..., Recipe]) -> None:
    assert not build_methods(recipe(), steps=10).members


@pytest.mark.parametrize(("name", "lines"), CASES, ids=IDS)
def test_its_lines_ask_for_it_alone(
    recipe: Callable[..., Recipe], name: str, lines: dict[str, Any]
) -> None:
    (found,) = build_methods(recipe(**lines), steps=10).members
    assert type(found).__module__.endswith(f".{name}")
    assert found.name.split(".")[0] in lines


@pytest.mark.parametrize("lines", [lines for _, lines in CASES] + COMPANY)
def test_a_stopped_run_ends_with_the_same_weights(
    run: Callable[..., Any], stopped: Callable[..., None], tmp_path: Path, lines: dict[str, Any]
) -> None:
    changes = {**for_classification(lines, tmp_path), "batches": {"accumulation": 2}}
    changes["run"] = {"precision": "bf16", "epochs": 4, "checkpoint_every_steps": 2}
    whole = run("whole", **changes)
    assert len(whole.losses) > 4
    stopped("stopped", step=len(whole.losses) - 1, **changes)
    run("stopped", resume=True, **changes)
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")


@pytest.mark.parametrize(("name", "lines"), CASES, ids=IDS)
def test_it_learns_and_changes_what_is_learnt(
    run: Callable[..., Any], tmp_path: Path, name: str, lines: dict[str, Any]
) -> None:
    changes = for_classification(lines, tmp_path)
    plain = {key: value for key, value in changes.items() if key in ("task", "data")}
    rate = {"learning_rate": 1e-2}
    changes["optimizer"] = {**changes.get("optimizer", {}), **rate}
    if name == "contrastive":
        # With two or three rows a batch, the loss says more about the batch than about learning.
        changes["batches"] = plain["batches"] = {"tokens": 4096}
    listener = run("with", **changes, run={"epochs": 12})
    run("without", **plain, optimizer=rate, run={"epochs": 12})
    assert sum(listener.losses[-4:]) < 0.9 * sum(listener.losses[:4])
    assert weights(tmp_path / "with") != weights(tmp_path / "without")


def test_two_methods_that_replace_the_same_are_refused(recipe: Callable[..., Recipe]) -> None:
    plan = recipe(regularization={"focal": 2.0, "label_smoothing": 0.1})
    message = r"regularization.focal and regularization.label_smoothing cannot be combined"
    with pytest.raises(BadInputError, match=message):
        build_methods(plan, steps=10)
