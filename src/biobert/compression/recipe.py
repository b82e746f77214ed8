"""The compression recipe: the steps that make a model smaller, and what must stay as good."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from biobert.compression.steps import SHELF
from biobert.core.errors import BadInputError
from biobert.core.settings import from_mapping
from biobert.data.catalogue import corpus_names
from biobert.training.recipe import DataSource

KIND = "kind"
LAST = "export"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done: the name of its file on the shelf `compression/steps`, and that
    file's own settings."""

    kind: str
    settings: Any


@dataclass(frozen=True, slots=True)
class CompressionRecipe:
    """A whole compression. The `steps` follow one another, each on what the last one made.

    `corpora` are what a step looks at or learns from. `gate` are what the smaller model is scored
    on beside the original, which must be none of them. `seed` decides what is drawn.
    """

    name: str
    steps: tuple[Step, ...]
    gate: tuple[DataSource, ...]
    corpora: tuple[DataSource, ...] = ()
    description: str = ""
    seed: int = 1

    def resolved(self) -> dict[str, Any]:
        """Every setting with its value, JSON-ready."""
        steps = [{KIND: step.kind, **asdict(step.settings)} for step in self.steps]
        return {**asdict(self), "steps": steps}


@dataclass(frozen=True, slots=True)
class _Tables:
    """The same as a file has it."""

    name: str
    steps: tuple[Mapping[str, Any], ...]
    gate: tuple[DataSource, ...]
    corpora: tuple[DataSource, ...] = ()
    description: str = ""
    seed: int = 1


def read_compression_recipe(tables: Mapping[str, Any], *, place: str) -> CompressionRecipe:
    """The recipe from TOML tables; `place` (the file's name) stands in errors."""
    found = from_mapping(_Tables, tables, place=place)
    if found.seed < 0:
        raise BadInputError(f"{place}: seed = {found.seed}: not below 0")
    if not found.steps or not found.gate:
        raise BadInputError(f"{place}: give at least one [[steps]] and one [[gate]]")
    for name in sorted(_splits(found.gate) & _splits(found.corpora)):
        raise BadInputError(
            f"{place}: {name} stands in [[corpora]] and [[gate]]: what a model has learnt from "
            "does not tell how good it is"
        )
    steps = tuple(
        _step(one, f"{place} [[steps]] {number}") for number, one in enumerate(found.steps, start=1)
    )
    _check_order(steps, place)
    return CompressionRecipe(
        found.name, steps, found.gate, found.corpora, found.description, found.seed
    )


def _step(table: Mapping[str, Any], place: str) -> Step:
    if KIND not in table:
        raise BadInputError(f"{place}: kind is missing; known: {', '.join(SHELF.names())}")
    kind = str(table[KIND])
    settings = {name: value for name, value in table.items() if name != KIND}
    return Step(kind, from_mapping(SHELF.load(kind).SETTINGS, settings, place=f"{place} ({kind})"))


def _check_order(steps: Sequence[Step], place: str) -> None:
    for step in steps[:-1]:
        if step.kind == LAST:
            raise BadInputError(f"{place}: {LAST} must be the last step: it leaves no weights")


def _splits(sources: Sequence[DataSource]) -> set[str]:
    """Every split that the sources name, each by one name however it is written."""
    return {name for source in sources for name in _names(source)}


def _names(source: DataSource) -> set[str]:
    place = Path(source.corpus)
    if place.exists():
        corpus = str(place.resolve())
    else:
        known = {one.lower(): one for one in corpus_names()}
        corpus = known.get(source.corpus.lower(), source.corpus)
    if place.is_file() or any(place.glob("*.ann")):
        return {corpus}  # It is its own and only split.
    return {f"{corpus} {one}" for split in source.splits for one in split.split("+")}
