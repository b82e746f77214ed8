"""`torchrun` with two processes on gloo gives one model folder."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from biobert.core.model_folder import read_manifest

SCRIPT = """
import json, sys
from pathlib import Path
from biobert.training.recipe import read_recipe
from biobert.training.session import Places, train
from tests.training.conftest import Silent

tables, output = json.loads(sys.argv[1])
listener = Silent()
places = Places(output=Path(output), cache=Path(output))
train(read_recipe(tables, place="toy.toml"), places, listener=listener, resume=False)
print("losses", json.dumps(listener.losses))
"""


def test_two_processes_train_one_model(tables: dict[str, Any], tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    settings = {**tables, "run": {"epochs": 12, "checkpoint_every_steps": 50}}
    output = tmp_path / "out"
    root = Path(__file__).parents[2]
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *(str(script), json.dumps([settings, str(output)])),
    ]
    environment = {"PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(root)}
    environment |= {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "HOME": str(tmp_path)}
    done = subprocess.run(
        command,
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("losses")]
    # Only the main process reports.
    losses, nothing = sorted((json.loads(line[6:]) for line in lines), key=len, reverse=True)
    assert nothing == []
    assert losses[-1] < 0.5 * losses[0]
    assert read_manifest(output).name == "toy"
