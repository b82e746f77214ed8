"""Running a recipe: what the verbs that train share."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from biobert.core.model_folder import ModelManifest

SHORT_NAMES = {"encoder": "model.encoder", "seed": "run.seed"}


def with_full_names(changes: Iterable[str]) -> list[str]:
    """`encoder=...` is short for `model.encoder=...`, `seed=...` for `run.seed=...`."""
    parts = (change.partition("=") for change in changes)
    return [f"{SHORT_NAMES.get(name, name)}{sign}{value}" for name, sign, value in parts]


def train_recipe(
    tables: Mapping[str, Any], output: Path, *, place: str, resume: bool
) -> "ModelManifest":
    """Train by the tables of a recipe, with progress on standard error; `place` is for errors."""
    from biobert.cli.places import cache_folder, data_root
    from biobert.cli.progress import TrainingProgress
    from biobert.training.material import Places
    from biobert.training.recipe import read_recipe
    from biobert.training.session import train

    recipe = read_recipe(tables, place=place)
    places = Places(output=output, cache=cache_folder(), data_root=data_root())
    with TrainingProgress() as progress:
        return train(recipe, places, listener=progress, resume=resume)
