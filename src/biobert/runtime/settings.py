"""How an exported model is run."""

import os
from dataclasses import dataclass
from typing import Literal

Engine = Literal["auto", "openvino", "onnxruntime", "torch"]
Precision = Literal["auto", "float32", "bf16"]


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """What runs a model, and how.

    `auto` engine is OpenVINO for an exported model and torch for one that has only weights; torch
    runs on `device` (`cpu`, `cuda`, `cuda:1`, ...; None takes a GPU where there is one).
    `auto` precision is bf16 where the processor computes in it, else float32.
    `token_budget` bounds the slots of a batch, padding included. `streams` batches run at once;
    None is one for each core, of which `threads` bounds the number.
    """

    engine: Engine = "auto"
    precision: Precision = "auto"
    device: str | None = None
    token_budget: int = 1024
    streams: int | None = None
    threads: int | None = None

    @property
    def cores(self) -> int:
        """How many threads compute."""
        return self.threads or available_cores()

    @property
    def parallel_batches(self) -> int:
        """How many batches compute at once."""
        return self.streams or self.cores


def available_cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
