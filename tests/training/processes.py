"""Training in processes of their own, which may die on the way."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# Trains by the recipe in a file of JSON, and kills itself at a step, as a power cut would.
RUN = """
import json, os, signal, sys
from pathlib import Path
from biobert.training.loop import TrainingLoop
from biobert.data.places import CorpusPlaces
from biobert.training.material import RunPlaces
from biobert.training.recipe import read_recipe
from biobert.training.session import train
from tests.training.conftest import Recorder

recipe, output, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
step = TrainingLoop._step
def mortal(self, group):
    if self.progress.step == last:
        os.kill(os.getpid(), signal.SIGKILL)
    step(self, group)
TrainingLoop._step = mortal
plan = read_recipe(json.loads(recipe.read_text()), place="toy")
train(plan, RunPlaces(output, CorpusPlaces(output)), listener=Recorder(), resume=True)
"""
PYTHONPATH = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
ON_TWO = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def killed_at_step(recipe: dict[str, Any], output: Path, *, step: int) -> int:
    """The exit status of a process that trains and dies after a step."""
    command = [sys.executable, *_program(recipe, output, step)]
    # Threads as in this process: how many there are decides the last bits.
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
    return subprocess.run(
        command, env=environment, capture_output=True, check=False, timeout=200
    ).returncode


def launched(
    recipe: dict[str, Any], output: Path, *, last_step: int = -1
) -> subprocess.CompletedProcess[str]:
    """Run two processes, or go on with them; both die after the last step, if there is one."""
    command = [sys.executable, *ON_TWO, *_program(recipe, output, last_step)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": PYTHONPATH, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=200
    )


def _program(recipe: dict[str, Any], output: Path, last_step: int) -> list[str]:
    script, path = output.with_suffix(".py"), output.with_suffix(".json")
    script.write_text(RUN)
    path.write_text(json.dumps(recipe))
    return [str(script), str(path), str(output), str(last_step)]
