"""Train on what the steps before have left, by default with the original as teacher."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from biobert.compression.lessons import Teaching, study
from biobert.compression.workbench import Workbench
from biobert.training.recipe import (
    BatchSettings,
    ModelSettings,
    OptimizerSettings,
    RunSettings,
    ScheduleSettings,
)


@dataclass(frozen=True, slots=True)
class Recovery:
    """The ordinary loop over the corpora, from the present weights and heads.

    Without a `teacher` it learns from the gold alone. A teacher must have the same vocabulary:
    prune that afterwards.
    """

    teacher: Literal["original", "none"] = "original"
    teaching: Teaching = field(default_factory=Teaching)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    batches: BatchSettings = field(default_factory=BatchSettings)
    run: RunSettings = field(default_factory=RunSettings)


SETTINGS = Recovery


def apply(source: Path, target: Path, settings: Recovery, bench: Workbench) -> Mapping[str, Any]:
    """The folder after some more training."""
    student = ModelSettings(encoder=str(source), heads="kept")
    teacher = bench.original if settings.teacher == "original" else None
    return {"teacher": settings.teacher, **study(student, settings, bench, target, teacher=teacher)}
