"""Training from Python, as `biobert train` does it."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biobert.core.errors import MissingExtraError
from biobert.core.model_folder import ModelManifest
from biobert.core.settings import read_toml
from biobert.data.places import CorpusPlaces, check_places
from biobert.training.recipe import read_changed_recipe

if TYPE_CHECKING:
    from biobert.core.task import Scores
    from biobert.training.loop import Listener, StepReport


def train(
    recipe: str | Path | Mapping[str, Any],
    output: str | Path,
    *,
    places: CorpusPlaces,
    changes: Sequence[str] = (),
    listener: "Listener | None" = None,
    resume: bool = False,
) -> ModelManifest:
    """Train by a recipe, a TOML file or its tables, into the model folder `output`.

    `changes` are settings as `--set` has them (`seed=2`); `listener` hears how it goes, and
    `resume` goes on with a stopped run. Raises BiobertError where recipe or data are wrong.
    """
    check_places(places)
    if find_spec("torch") is None:
        raise MissingExtraError("torch", "train")
    from biobert.training.material import RunPlaces
    from biobert.training.session import train as trained

    if isinstance(recipe, Mapping):
        tables, place = recipe, f"recipe {recipe.get('name', '')}".strip()
    else:
        tables, place = read_toml(Path(recipe)), Path(recipe).name
    whole = read_changed_recipe(tables, changes, place=place)
    where = RunPlaces(Path(output), places)
    return trained(whole, where, listener=listener or _Silent(), resume=resume)


class _Silent:
    """Hears of a run, and says nothing."""

    def noted(self, message: str) -> None:
        pass

    def stepped(self, report: "StepReport") -> None:
        pass

    def evaluated(self, step: int, scores: "dict[str, Scores]", main: float) -> None:
        pass
