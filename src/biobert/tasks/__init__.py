"""SHELF: one file for each thing a model can learn; each module names its task class `TASK`."""

from collections.abc import Mapping
from typing import Any

from biobert.core.shelf import Shelf
from biobert.core.task import Task

SHELF = Shelf(__name__, "task")


def build_task(name: str, settings: Mapping[str, Any]) -> Task:
    """The task called `name`, from the `task` table of a recipe or a model folder."""
    task: Task = SHELF.load(name).TASK.from_settings(settings)
    return task
