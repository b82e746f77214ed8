"""A run killed at any moment goes on to the same final weights, to the bit."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.training import loop
from biobert.training.checkpoint import (
    NETWORK,
    OPTIMIZER,
    STATE,
    _restore_optimizer,
    checkpoints,
)
from biobert.training.parallel import build_accelerator
from tests.tiny import write_tiny_encoder_folder, write_tiny_model_folder

# Kills itself, as a power cut would, at the n-th call of one function of the run.
DYING = """
import json, os, signal, sys
from pathlib import Path
from biobert.model import tensors
from biobert.training import checkpoint, loop
from biobert.training.recipe import read_recipe
from biobert.data.places import CorpusPlaces
from biobert.training.material import RunPlaces
from biobert.training.session import train
from tests.training.conftest import Recorder

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
places = RunPlaces(Path(output), CorpusPlaces(Path(output)))
train(recipe, places, listener=Recorder(), resume=True)
"""


def weights(folder: Path) -> str:
    """The checksum of what a run wrote: a whole model or an adapter."""
    (path,) = (one for one in folder.glob("*.safetensors"))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("place", "count"), [("step", 5), ("write", 4), ("rename", 8), ("rename", 9)]
)
def test_a_killed_run_ends_with_the_same_weights(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path, place: str, count: int
) -> None:
    settings = {**tables, "regularization": {"masked_words": 0.2}}
    whole = run("whole", regularization={"masked_words": 0.2})
    argument = json.dumps([settings, str(tmp_path / "killed"), place, count])
    root = Path(__file__).parents[2]
    died = subprocess.run(
        [sys.executable, "-c", DYING, argument], cwd=root, capture_output=True, check=False
    )
    assert died.returncode == -9, died.stderr.decode()
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    resumed = run("killed", resume=True, regularization={"masked_words": 0.2})
    assert 0 < len(resumed.losses) < len(whole.losses)
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
    run("out", run={"epochs": 1})
    with pytest.raises(BadInputError, match="--resume"):
        run("out", run={"epochs": 1})
    with pytest.raises(BadInputError, match="recipe changed in optimizer"):
        run("out", resume=True, run={"epochs": 1}, optimizer={"learning_rate": 1e-4})


@pytest.mark.parametrize("resume", [False, True])
def test_another_model_is_not_trained_over(
    run: Callable[..., Any], tmp_path: Path, resume: bool
) -> None:
    write_tiny_model_folder(tmp_path / "out")
    (tmp_path / "out" / "model.onnx").write_text("an exported model, which would be loaded")
    write_tiny_encoder_folder(tmp_path / "encoder")
    for name in ("out", "encoder"):
        before = {path.name for path in (tmp_path / name).iterdir()}
        with pytest.raises(BadInputError, match=f"{name} holds a model, and no run that could go"):
            run(name, run={"epochs": 1}, resume=resume)
        assert {path.name for path in (tmp_path / name).iterdir()} == before


def test_killed_while_it_writes_its_model_a_run_leaves_no_manifest(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("out", run={"epochs": 1})
    replace = os.replace

    def deadly(source: Path, target: Path) -> None:
        replace(source, target)
        if Path(target) == tmp_path / "out" / "model.safetensors":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", deadly)
        with pytest.raises(KeyboardInterrupt):
            run("out", run={"epochs": 1}, resume=True)
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert "model.safetensors" in left and not left & {"biobert.json", ".model.part"}
    run("out", run={"epochs": 1}, resume=True)
    assert read_manifest(tmp_path / "out").name == "toy"


def test_a_table_that_is_gone_or_another_number_of_processes_is_another_run(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    run("out", averaging={}, run={"epochs": 1})
    with pytest.raises(BadInputError, match="recipe changed in averaging"):
        run("out", resume=True, run={"epochs": 1})
    (place,) = checkpoints(tmp_path / "out" / "checkpoints")
    state = json.loads((place / STATE).read_text())
    state["progress"]["processes"] = 8
    (place / STATE).write_text(json.dumps(state))
    with pytest.raises(BadInputError, match="8 processes, this one has 1"):
        run("out", resume=True, averaging={}, run={"epochs": 1})


@pytest.mark.parametrize("name", [STATE, NETWORK, OPTIMIZER])
def test_a_damaged_checkpoint_is_named(run: Callable[..., Any], tmp_path: Path, name: str) -> None:
    run("out", run={"epochs": 1})
    (place,) = checkpoints(tmp_path / "out" / "checkpoints")
    content = (place / name).read_bytes()
    (place / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(BadInputError, match=rf"{re.escape(str(place / name))} is damaged .*remove"):
        run("out", resume=True, run={"epochs": 1})


def test_other_data_is_another_run(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    before = Path(tables["data"]["train"][0]["corpus"])
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(before.read_text())
    changes = {"data": {"train": [{"corpus": str(corpus)}]}, "run": {"epochs": 1}}
    run("out", **changes)
    run("out", resume=True, **changes)
    corpus.write_text(before.read_text().replace("Lithium", "Cadmium"))
    with pytest.raises(BadInputError, match=rf"other data in {re.escape(str(corpus))}"):
        run("out", resume=True, **changes)


def test_other_devel_data_is_another_run(
    run: Callable[..., Any], tables: dict[str, Any], tmp_path: Path
) -> None:
    corpus = tmp_path / "devel.jsonl"
    text = Path(tables["data"]["train"][0]["corpus"]).read_text()
    corpus.write_text(text)
    changes = {"data": {"devel": [{"corpus": str(corpus)}]}, "run": {"epochs": 1}}
    run("out", **changes)
    assert not any(str(corpus) in name for name in read_manifest(tmp_path / "out").data)
    corpus.write_text(text.replace("Lithium", "Cadmium"))
    with pytest.raises(BadInputError, match=rf"other data in devel {re.escape(str(corpus))}"):
        run("out", resume=True, **changes)


def test_data_that_no_checkpoint_has_learnt_may_be_mended(
    run: Callable[..., Any], stopped: Callable[..., None], tables: dict[str, Any], tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    text = Path(tables["data"]["train"][0]["corpus"]).read_text()
    changes = {"data": {"train": [{"corpus": str(corpus)}]}, "run": {"epochs": 1}}
    corpus.write_text(text.replace("Lithium", "Cadmium"))
    stopped("out", step=1, **changes)
    corpus.write_text(text)
    run("out", resume=True, **changes)
    run("whole", **changes)
    assert weights(tmp_path / "out") == weights(tmp_path / "whole")


def test_the_count_of_steps_comes_back_to_the_device_of_its_weights() -> None:
    parameter = nn.Parameter(torch.zeros(2, device="meta"))
    optimizer = torch.optim.AdamW([parameter], fused=True)
    _restore_optimizer(optimizer, {"0.step": torch.tensor(3.0), "0.exp_avg": torch.zeros(2)})
    assert {one.device.type for one in optimizer.state[parameter].values()} == {"meta"}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
def test_a_stopped_run_goes_on_on_a_gpu(
    run: Callable[..., Any], stopped: Callable[..., None], tmp_path: Path, precision: str
) -> None:
    changes = {"run": {"precision": precision, "epochs": 2, "checkpoint_every_steps": 3}}
    whole = run("whole", **changes)
    stopped("stopped", step=4, **changes)
    resumed = run("stopped", resume=True, **changes)
    assert len(resumed.losses) == len(whole.losses) - 3
    assert resumed.losses == pytest.approx(whole.losses[3:], rel=0.05)


def test_the_scale_of_half_precision_goes_on(
    run: Callable[..., Any],
    stopped: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scalers = []

    def scaled(*arguments: Any) -> Accelerator:
        accelerator = build_accelerator(*arguments)
        accelerator.scaler = torch.amp.GradScaler("cpu", growth_interval=2)
        scalers.append(accelerator.scaler)
        return accelerator

    monkeypatch.setattr(loop, "build_accelerator", scaled)
    run("whole")
    stopped("stopped", step=5)
    run("stopped", resume=True)
    whole, _, resumed = (one.state_dict() for one in scalers)
    assert resumed == whole
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")


FULL = """
import json, resource, sys
from pathlib import Path
from biobert.core.errors import BiobertError
from biobert.training.recipe import read_recipe
from biobert.data.places import CorpusPlaces
from biobert.training.material import RunPlaces
from biobert.training.session import train
from tests.training.conftest import Recorder

tables, output, limit = json.loads(sys.argv[1])
class Filling(Recorder):
    def stepped(self, report):
        if report.step == 4:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    places = RunPlaces(Path(output), CorpusPlaces(Path(output)))
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
    left = {place.name for place in (output / "checkpoints").iterdir()}
    assert left == {"data.json", "step-00000003"}
    run("full", resume=True)
    assert weights(output) == weights(tmp_path / "whole")
