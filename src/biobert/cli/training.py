"""Running a recipe: what the verbs that train share."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from biobert.core.model_folder import ModelManifest


def train_recipe(
    recipe: Path | Mapping[str, Any], output: Path, *, changes: Sequence[str] = (), resume: bool
) -> "ModelManifest":
    """Train by a recipe, its file or its tables, with the changes of `--set` and progress on
    standard error."""
    from biobert.cli.places import corpus_places
    from biobert.cli.progress import TrainingProgress
    from biobert.pipeline.train import train

    places = corpus_places()
    with TrainingProgress() as progress:
        return train(
            recipe, output, places=places, changes=changes, listener=progress, resume=resume
        )


def train_or_go_on(tables: Mapping[str, Any], output: Path) -> None:
    """The same for a verb that trains several models, going on with a stopped one."""
    train_recipe(tables, output, resume=True)
