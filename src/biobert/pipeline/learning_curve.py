"""Models that learn from a share of what another has learnt from: points of its learning curve."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from biobert.core.errors import BadInputError
from biobert.core.model_folder import MANIFEST, ModelManifest
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.run_settings import check_asked, keep_asked
from biobert.runtime.settings import RuntimeSettings
from biobert.training.recipe import Recipe

Train = Callable[[Mapping[str, Any], Path], object]
"""Trains by the tables of a recipe into a folder, going on with a stopped run."""


def share_learner(
    manifest: ModelManifest, shares: Sequence[float], output: Path, train: Train
) -> Callable[[float], Annotator]:
    """Trains the model's own recipe on one of the shares of its documents, unless that stands.

    Raises BadInputError for a model that its recipe alone does not make, and where the folder of a
    share holds a run of another recipe.
    """
    _check_recipe(manifest)
    for share in shares:
        check_asked(_folder(output, share), _tables(manifest.recipe, share))

    def learn(share: float) -> Annotator:
        folder, tables = _folder(output, share), _tables(manifest.recipe, share)
        if not (folder / MANIFEST).is_file():
            keep_asked(folder, tables)
            train(tables, folder)
        return Annotator(folder, settings=RuntimeSettings(engine="torch"))

    return learn


def _check_recipe(manifest: ModelManifest) -> None:
    recipe = manifest.recipe
    if "data" not in recipe:
        raise BadInputError(f"{manifest.name} names no recipe that could learn from a share")
    others = sorted(recipe.keys() - {one.name for one in fields(Recipe)})
    if others or recipe["task"]["name"] != manifest.task:
        how = ", ".join(others) or f"a part of a {recipe['task']['name']} model"
        raise BadInputError(
            f"{manifest.name} was not made by its recipe alone ({how}): draw the curve of a model "
            "that was trained"
        )


def _folder(output: Path, share: float) -> Path:
    return output / f"share-{share:g}"


def _tables(recipe: Mapping[str, Any], share: float) -> dict[str, Any]:
    """The recipe, with that much of each of its sources."""
    train = [{**one, "share": share * one.get("share", 1.0)} for one in recipe["data"]["train"]]
    return {**recipe, "data": {**recipe["data"], "train": train}}
