"""The steps of a compression, one after another."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biobert.compression.recipe import Step
from biobert.compression.steps import SHELF
from biobert.compression.workbench import Workbench, check_changeable


@dataclass(frozen=True, slots=True)
class DoneStep:
    """What a step did, in its own JSON-ready words, and how long it took."""

    kind: str
    said: dict[str, Any]
    seconds: float


def check_steps(steps: Sequence[Step], original: Path) -> None:
    """An error for a step that this model cannot take, before anything is read."""
    for step in steps:
        if step.kind == "export":
            SHELF.load(step.kind).check(original, step.settings)
        else:
            check_changeable(original)


def run_steps(
    steps: Sequence[Step], bench: Workbench, scratch: Path
) -> tuple[Path, list[DoneStep]]:
    """The folder that the last step wrote below `scratch`; those before it are gone again."""
    folder = bench.original
    reports = []
    for number, step in enumerate(steps, start=1):
        bench.listener.noted(f"step {number} of {len(steps)}: {step.kind}")
        began = time.perf_counter()
        target = scratch / f"{number}-{step.kind}"
        said = SHELF.load(step.kind).apply(folder, target, step.settings, bench)
        reports.append(DoneStep(step.kind, dict(said), time.perf_counter() - began))
        if folder != bench.original:
            shutil.rmtree(folder)
        folder = target
    return folder, reports
