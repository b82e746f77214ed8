"""A run killed at any moment goes on to the same final weights, to the bit."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Kills itself, as a power cut would, at the n-th call of one function of the run.
DYING = """
import json, os, signal, sys
from pathlib import Path
from biobert.model import tensors
from biobert.training import checkpoint, loop
from biobert.training.recipe import read_recipe
from biobert.training.material import Places
from biobert.training.session import train
from tests.training.conftest import Silent

tables, output, place, count = json.loads(sys.argv[1])
calls = 0
def deadly(function):
    def call(*arguments, **named):
        global calls
        calls += 1
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return call
if place == "step":
    loop.TrainingLoop._step = deadly(loop.TrainingLoop._step)
elif place == "write":
    tensors.save_file = deadly(tensors.save_file)
elif place == "rename":
    checkpoint.os.replace = deadly(checkpoint.os.replace)
recipe = read_recipe(tables, place="toy.toml")
places = Places(output=Path(output), cache=Path(output))
train(recipe, places, listener=Silent(), resume=True)
"""


def weights(folder: Path) -> str:
    """The checksum of what a run wrote: a whole model or an adapter."""
    (path,) = (one for one in folder.glob("*.safetensors"))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("place", "count"), [("step", 5), ("write", 4), ("rename", 2)])
def test_a_killed_run_ends_with_the_same_weights(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path, place: str, count: int
) -> None:
    settings = {**tables, "regularization": {"masked_words": 0.2}}
    run("whole", regularization={"masked_words": 0.2})
    argument = json.dumps([settings, str(tmp_path / "killed"), place, count])
    root = Path(__file__).parents[2]
    died = subprocess.run(
        [sys.executable, "-c", DYING, argument], cwd=root, capture_output=True, check=False
    )
    assert died.returncode == -9, died.stderr.decode()
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    run("killed", resume=True, regularization={"masked_words": 0.2})
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")


def test_equal_seeds_give_equal_weights_and_others_do_not(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        run(name, run={"epochs": 1, "seed": seed})
    assert weights(tmp_path / "one") == weights(tmp_path / "again")
    assert weights(tmp_path / "one") != weights(tmp_path / "other")


def test_an_earlier_run_is_neither_overwritten_nor_continued_with_another_recipe(
    run: Callable[..., Any],
) -> None:
    from biobert.core.errors import BadInputError

    run("out", run={"epochs": 1})
    with pytest.raises(BadInputError, match="--resume"):
        run("out", run={"epochs": 1})
    with pytest.raises(BadInputError, match="recipe changed in optimizer"):
        run("out", resume=True, run={"epochs": 1}, optimizer={"learning_rate": 1e-4})


FULL = """
import json, resource, sys
from pathlib import Path
from biobert.core.errors import BiobertError
from biobert.training.recipe import read_recipe
from biobert.training.material import Places
from biobert.training.session import train
from tests.training.conftest import Silent

tables, output, limit = json.loads(sys.argv[1])
class Filling(Silent):
    def stepped(self, report):
        if report.step == 4:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    places = Places(output=Path(output), cache=Path(output))
    train(read_recipe(tables, place="toy.toml"), places, listener=Filling(), resume=False)
except BiobertError as problem:
    print(problem.code, problem)
    sys.exit(7)
"""


@pytest.mark.parametrize("limit", [100, 20_000, 200_000])
def test_a_disk_that_fills_up_is_named_and_leaves_the_checkpoint_before(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path, limit: int
) -> None:
    run("whole")
    output = tmp_path / "full"
    done = subprocess.run(
        [sys.executable, "-c", FULL, json.dumps([tables, str(output), limit])],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert done.stdout.startswith("disk ")
    assert "could not be written" in done.stdout
    assert "--resume" in done.stdout
    assert [place.name for place in (output / "checkpoints").iterdir()] == ["step-00000003"]
    run("full", resume=True)
    assert weights(output) == weights(tmp_path / "whole")
