"""Values that a recipe cannot have are refused before anything is read."""

from typing import Any

import pytest

from biobert.core.errors import BadInputError
from biobert.training.recipe import read_changed_recipe, read_recipe

TABLES: dict[str, Any] = {
    "name": "toy",
    "task": {"name": "ner", "labels": ["Disease"]},
    "model": {"encoder": "models/biobert-mini"},
    "data": {"train": [{"corpus": "NCBI-disease"}]},
}


@pytest.mark.parametrize(
    ("table", "values", "words"),
    [
        ("batches", {"accumulation": 0}, r"\[batches\] accumulation = 0: at least 1"),
        ("batches", {"tokens": -5}, r"\[batches\] tokens = -5"),
        ("optimizer", {"betas": [0.9]}, r"betas = \[0\.9\]: two numbers"),
        ("optimizer", {"learning_rate": -1.0}, r"learning_rate = -1\.0: more than 0"),
        ("optimizer", {"learning_rate": float("nan")}, "learning_rate = nan"),
        ("optimizer", {"layer_decay": 1.5}, r"layer_decay = 1\.5"),
        ("schedule", {"warmup_fraction": 500.0}, r"warmup_fraction = 500\.0: from 0 to 1"),
        (
            "schedule",
            {"kind": "stable", "warmup_fraction": 0.5, "decay_fraction": 0.8},
            "together at most 1",
        ),
        ("model", {"encoder": "x", "positions": 0}, r"positions = 0: at least 1"),
        ("model", {"encoder": "x", "dropout": 2.0}, r"dropout = 2\.0: from 0 to less than 1"),
        ("model", {"encoder": "x", "attention_dropout": -1.0}, r"attention_dropout = -1\.0"),
        ("model", {"encoder": "x", "reinitialised_layers": -1}, "not below 0"),
        ("model", {"encoder": "x", "new_positions": "interpolate"}, "needs positions"),
        ("model", {"shape": {}, "vocabulary": "x", "heads": "kept"}, "no heads to be kept"),
        ("optimizer", {"frozen_layers": -1}, r"frozen_layers = -1: not below 0"),
        ("run", {"seed": -1}, r"seed = -1: not below 0"),
        ("run", {"patience": 2}, r"patience = 2: without \[\[data\.devel\]\] nothing"),
        ("schedule", {"decay_fraction": 0.3}, r"'linear', decay_fraction = 0\.3 is read beside"),
        ("regularization", {"temperature": 0.1}, r"temperature = 0\.1 is read beside contrastive"),
        ("model", {"encoder": "x", "pull_embeddings": False}, "beside task.name = 'pretraining'"),
        (
            "model",
            {"shape": {}, "vocabulary": "x", "positions": 9, "new_positions": "interpolate"},
            "new_positions = 'interpolate' is read beside an `encoder` alone",
        ),
        (
            "model",
            {"shape": {}, "vocabulary": "x", "reinitialised_layers": 1},
            "reinitialised_layers = 1 is read beside an `encoder`",
        ),
        (
            "data",
            {"train": [{"corpus": "A"}], "devel": [{"corpus": "B", "times": 2}]},
            r"devel\]\] B: times = 2 is read beside \[\[data\.train\]\]",
        ),
        (
            "self_training",
            {"unlabelled": [{"corpus": "A", "times": 2}]},
            r"unlabelled\]\] A: times = 2 is read beside",
        ),
        ("stages", [], r"\[\[stages\]\] is empty"),
        ("stages", [{"length": 2}], "at least 8"),
    ],
)
def test_values_out_of_range(table: str, values: Any, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        read_recipe({**TABLES, table: values}, place="toy.toml")


@pytest.mark.parametrize(
    "change", ["foo", "run.epochs=zero", "run.epochs=0", "nonsense=1", "task.scheme=none"]
)
def test_what_only_a_change_makes_wrong_is_a_wrong_call(change: str) -> None:
    with pytest.raises(BadInputError) as caught:
        read_changed_recipe(TABLES, ["run.seed=2", change], place="toy.toml")
    assert caught.value.code == "usage"


@pytest.mark.parametrize("table", [{"run": {"epochs": "zero"}}, {"task": {"name": "ner"}}])
def test_what_is_wrong_in_the_file_is_bad_input(table: dict[str, Any]) -> None:
    tables = {**TABLES, **table}
    for changes in ([], ["run.seed=2"]):
        with pytest.raises(BadInputError) as caught:
            read_changed_recipe(tables, changes, place="toy.toml")
        assert caught.value.code == "bad-input"
    mended = read_changed_recipe(
        tables, ["run.epochs=1", 'task.labels=["Disease"]'], place="toy.toml"
    )
    assert mended.run.epochs == 1
