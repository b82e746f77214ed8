"""Teach a smaller student what the present model has learnt: its answers and how its vectors lie.

The loss is that of training/methods/distillation.py (arXiv:1503.02531, arXiv:1907.09682).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from biobert.compression.lessons import Teaching, study
from biobert.compression.workbench import Workbench
from biobert.training.recipe import (
    BatchSettings,
    ModelSettings,
    OptimizerSettings,
    RunSettings,
    ScheduleSettings,
    ShapeSettings,
)


@dataclass(frozen=True, slots=True)
class Student:
    """Who learns: the `encoder` of a folder or a Hugging Face name, with so many `layers` of its
    own, or a `shape` from random weights. It takes the teacher's vocabulary."""

    encoder: str | None = None
    layers: int | None = None
    shape: ShapeSettings | None = None


@dataclass(frozen=True, slots=True)
class Distilling:
    """The `student`, how it is taught, and the tables of a training recipe."""

    student: Student
    teaching: Teaching = field(default_factory=lambda: Teaching(hidden=1.0))
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    batches: BatchSettings = field(default_factory=BatchSettings)
    run: RunSettings = field(default_factory=RunSettings)


SETTINGS = Distilling


def apply(source: Path, target: Path, settings: Distilling, bench: Workbench) -> Mapping[str, Any]:
    """The student's folder."""
    student = ModelSettings(
        encoder=settings.student.encoder,
        layers=settings.student.layers,
        shape=settings.student.shape,
        vocabulary=str(source),
    )
    return study(student, settings, bench, target, teacher=source)
