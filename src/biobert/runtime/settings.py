"""How an exported model is run."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from biobert.core.errors import BadInputError

Engine = Literal["auto", "openvino", "onnxruntime", "torch"]
Precision = Literal["auto", "float32", "bf16"]
TOKEN_BUDGET = 1024
"""Slots of a batch, where the settings leave it to the engine."""
CONTROL_GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """What runs a model, and how.

    `auto` engine is OpenVINO for an exported model and torch for one that has only weights; torch
    runs on `device` (`cpu`, `cuda`, `cuda:1`, ...; None takes a GPU where there is one).
    `auto` precision is bf16 where engine and processor compute in it and the model writes no texts,
    else float32; activations that meet eight-bit weights are then rounded, which with `float32`
    itself they are not.
    `token_budget` bounds the slots of a batch, padding included; None is 1024, for torch 4096.
    `streams` batches run at once; None is one for each core, of which `threads` bounds the number.
    """

    engine: Engine = "auto"
    precision: Precision = "auto"
    device: str | None = None
    token_budget: int | None = None
    streams: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("token_budget", "streams", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadInputError(f"[runtime] {name} = {value}: at least 1; else leave it out")

    @property
    def cores(self) -> int:
        """How many threads compute."""
        return self.threads or available_cores()

    @property
    def parallel_batches(self) -> int:
        """How many batches compute at once."""
        return self.streams or self.cores


def available_cores() -> int:
    """The cores this process may use: those it may run on, at most its container's share."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, cores_of_container() or cores)


def cores_of_container(groups: Path = CONTROL_GROUPS) -> int | None:
    """How many cores' time a container's control group leaves it, rounded up; None without a limit.

    The kernel gives it as microseconds of each period.
    """
    files = [groups / "cpu.max"]
    if not files[0].is_file():  # The first version of control groups.
        files = [groups / "cpu" / name for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
    try:
        quota, period = (int(word) for one in files for word in one.read_text().split())
    except (OSError, ValueError):  # No control groups, or "max".
        return None
    return -(-quota // period) if quota > 0 else None
