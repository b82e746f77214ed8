"""`biobert tune` from the command line."""

import shlex
from pathlib import Path

import pytest

from biobert.core.model_folder import read_manifest
from tests.cli.calling import call
from tests.cli.test_train import recipe  # noqa: F401


def test_the_command_that_is_shown_trains_the_best_trial_again(
    recipe: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my recipes").mkdir()
    own = tmp_path / "my recipes" / "toy.toml"
    own.write_text(recipe.read_text())
    tried = ("--try", "optimizer.learning_rate=log:1e-4..1e-2", "--try", "run.precision=float32")
    found = call("tune", own, "--output", "search", *tried, "--trials", 2, "--set", "run.epochs=2")
    assert found.code == 0, found.err
    (line,) = (line for line in found.out.splitlines() if line.startswith("biobert train"))
    again = call(*shlex.split(line)[1:])
    assert again.code == 0, again.err
    best, other = (read_manifest(Path(name)) for name in ("search/best", "toy"))
    assert other.recipe == best.recipe
    assert other.recipe["run"]["epochs"] == 2
    assert other.metrics == best.metrics


def test_a_value_that_no_recipe_takes_leaves_no_study(
    recipe: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    output = tmp_path / "search"
    wrong = {
        "foo.bar=1..2": "foo",
        "run.precision=float32,float23": "float23",
        "task.consistencey=true,false": "consistencey",
    }
    for space, word in wrong.items():
        found = call("tune", recipe, "--output", output, "--try", space)
        assert found.code in (1, 2)
        assert word in found.err
        assert "Traceback" not in found.err
        assert not output.exists()


def test_what_is_tried_has_its_short_names(recipe: Path, tmp_path: Path) -> None:  # noqa: F811
    found = call("tune", recipe, "--output", tmp_path / "out", "--try", "seed=x,y")
    assert "run seed = 'x': expected int" in found.err
