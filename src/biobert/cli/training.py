"""Running a recipe: what the verbs that train share."""

from collections.abc import Iterable, Mapping, Sequence
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
    tables: Mapping[str, Any],
    output: Path,
    *,
    place: str,
    resume: bool,
    changes: Sequence[str] = (),
) -> "ModelManifest":
    """Train by the tables of a recipe and the changes of `--set`, with progress on standard error;
    `place` is for errors."""
    from biobert.cli.places import cache_folder, data_root
    from biobert.cli.progress import TrainingProgress
    from biobert.training.material import Places
    from biobert.training.recipe import read_changed_recipe
    from biobert.training.session import train

    recipe = read_changed_recipe(tables, changes, place=place)
    places = Places(output=output, cache=cache_folder(), data_root=data_root())
    with TrainingProgress() as progress:
        return train(recipe, places, listener=progress, resume=resume)


def train_or_go_on(tables: Mapping[str, Any], output: Path) -> None:
    """The same for a verb that trains several models, going on with a stopped one."""
    train_recipe(tables, output, place=f"recipe {tables.get('name', '')}", resume=True)
