"""Training as a step of a compression: the ordinary loop, and a teacher."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from biobert.compression.workbench import Workbench
from biobert.core.errors import BadInputError
from biobert.core.model_folder import MANIFEST, read_manifest
from biobert.training.material import RunPlaces
from biobert.training.method_settings import DistillationSettings
from biobert.training.recipe import (
    BatchSettings,
    DataSettings,
    ModelSettings,
    OptimizerSettings,
    Recipe,
    RunSettings,
    ScheduleSettings,
)
from biobert.training.session import train


@dataclass(frozen=True, slots=True)
class Teaching:
    """How a teacher teaches: as in the `[distillation]` table of a training recipe."""

    weight: float = 0.5
    temperature: float = 2.0
    hidden: float = 0.0


class Lessons(Protocol):
    """The tables of a training recipe that a step repeats."""

    @property
    def teaching(self) -> Teaching:
        """How the teacher teaches."""
        ...

    @property
    def optimizer(self) -> OptimizerSettings:
        """As in a training recipe."""
        ...

    @property
    def schedule(self) -> ScheduleSettings:
        """As in a training recipe."""
        ...

    @property
    def batches(self) -> BatchSettings:
        """As in a training recipe."""
        ...

    @property
    def run(self) -> RunSettings:
        """As in a training recipe."""
        ...


def study(
    student: ModelSettings,
    lessons: Lessons,
    bench: Workbench,
    target: Path,
    *,
    teacher: Path | None,
) -> Mapping[str, Any]:
    """Train a student for the original's task on the corpora, into `target`.

    No devel set chooses its weights: the gate has to be new to it.
    """
    if not bench.corpora:
        raise BadInputError("a step that trains needs [[corpora]] in the recipe")
    original = read_manifest(bench.original)
    teaching = lessons.teaching
    recipe = Recipe(
        name=original.name,
        task={**original.task_settings, "name": original.task},
        model=student,
        data=DataSettings(train=bench.corpora),
        optimizer=lessons.optimizer,
        schedule=lessons.schedule,
        batches=lessons.batches,
        distillation=None
        if teacher is None
        else DistillationSettings(
            str(teacher), teaching.weight, teaching.temperature, teaching.hidden
        ),
        run=lessons.run,
    )
    places = RunPlaces(target, bench.places)
    train(recipe, places, listener=bench.listener, resume=False)
    shutil.rmtree(target / "checkpoints", ignore_errors=True)
    for name in ("history.jsonl", "curves.png", "README.md"):
        (target / name).unlink(missing_ok=True)
    shutil.copyfile(bench.original / MANIFEST, target / MANIFEST)
    return {"epochs": lessons.run.epochs, "steps": lessons.run.steps, "seed": lessons.run.seed}
