"""A benchmark suite: which recipes are trained over seeds, and on what they are scored.

A suite is a TOML file beside its recipes; `run.py` trains and scores it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from biobert.core.errors import BadInputError
from biobert.core.settings import from_mapping, read_toml
from biobert.core.shelf import unknown_name
from biobert.pipeline.evaluating import TestSet
from biobert.runtime.ensemble import Rule


@dataclass(frozen=True, slots=True)
class Published:
    """What others report on the same test set, and where they say so."""

    system: str
    score: float
    source: str


@dataclass(frozen=True, slots=True)
class SuiteTest:
    """A test set, named as in the table; `incomparable` says why no published figure compares."""

    name: str
    corpus: str
    split: str = "test"
    rename: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    incomparable: str = ""

    def test_set(self) -> TestSet:
        """What is evaluated."""
        return TestSet(self.corpus, self.split, self.rename, self.labels, self.where)


@dataclass(frozen=True, slots=True)
class SeedAndFold:
    """One training of a model: its seed and, of its folds, the one that it does not learn from."""

    seed: int
    fold: str | None = None

    @property
    def folder(self) -> str:
        """Its folder in that of the model."""
        return f"seed-{self.seed}" if self.fold is None else f"{self.fold}-seed-{self.seed}"


@dataclass(frozen=True, slots=True)
class SuiteModel:
    """A recipe (a path from the suite's folder), settings that it changes, and its test sets.

    `name` is that of its folder; None takes the recipe's file name without its ending. Its encoder
    may be another model of the suite, `start`, of the same seed. Of `folds`, splits of its corpus,
    each in turn is the recipe's devel, and all others are learnt from.

    An `ensemble` has no recipe: it is what all seeds of an earlier model answer together, by
    `rule`.
    """

    recipe: str | None = None
    tests: tuple[SuiteTest, ...] = ()
    set: tuple[str, ...] = ()
    name: str | None = None
    start: str | None = None
    folds: tuple[str, ...] = ()
    ensemble: str | None = None
    rule: Rule = "mean"

    def __post_init__(self) -> None:
        if (self.recipe is None) == (self.ensemble is None):
            raise BadInputError(
                f"model {self.folder!r}: give it a `recipe`, or name an earlier model as `ensemble`"
            )
        if self.ensemble is not None and (self.set or self.start or self.folds):
            raise BadInputError(
                f"model {self.folder!r} joins the seeds of {self.ensemble!r}: `set`, `start` and "
                "`folds` belong there"
            )
        if len(self.folds) == 1:
            raise BadInputError(f"model {self.folder!r}: folds = {list(self.folds)}: at least two")

    @property
    def folder(self) -> str:
        """What it is called, and its folder."""
        if self.ensemble is not None:
            return self.name or f"{self.ensemble}-ensemble"
        return self.name or Path(self.recipe or "").stem

    def turns(self, seeds: Sequence[int]) -> list[SeedAndFold]:
        """All its trainings; an ensemble has none of its own."""
        if self.ensemble is not None:
            return []
        return [SeedAndFold(seed, fold) for seed in seeds for fold in self.folds or (None,)]


@dataclass(frozen=True, slots=True)
class Suite:
    """What is trained and tested, over which seeds."""

    name: str
    models: tuple[SuiteModel, ...]
    description: str = ""
    seeds: tuple[int, ...] = (1, 2, 3)

    def __post_init__(self) -> None:
        tests = [test.name for model in self.models for test in model.tests]
        if twice := _twice(tests):
            raise BadInputError(f"suite {self.name!r} names a test twice: {', '.join(twice)}")
        if twice := _twice(model.folder for model in self.models):
            raise BadInputError(
                f"suite {self.name!r} has two models {', '.join(twice)}; give each a `name`"
            )
        if twice := _twice(map(str, self.seeds)):
            raise BadInputError(f"suite {self.name!r}: seeds {', '.join(twice)} stand there twice")
        if not self.seeds or not tests:
            raise BadInputError(f"suite {self.name!r}: give at least one seed, model and test")
        for number, model in enumerate(self.models):
            before = self.models[:number]
            earlier = [one.folder for one in before if one.recipe is not None and not one.folds]
            for role, name in (("start", model.start), ("ensemble", model.ensemble)):
                if name is not None and name not in earlier:
                    raise unknown_name(f"{role} of {model.folder} before it", name, earlier)

    def start_of(self, model: SuiteModel) -> SuiteModel | None:
        """The model that it begins from."""
        return next((one for one in self.models if one.folder == model.start), None)

    def learner_of(self, model: SuiteModel) -> SuiteModel:
        """The model that is trained for it: itself, or the one whose seeds it joins."""
        return next((one for one in self.models if one.folder == model.ensemble), model)

    def only(self, names: Collection[str]) -> "Suite":
        """The suite of these models; one that they begin from, or join, is trained, and not
        tested."""
        known = {model.folder: model for model in self.models}
        needed: set[str] = set()
        for name in names:
            if name not in known:
                raise unknown_name("model of the suite", name, known)
            needed.add(name)
            one: SuiteModel | None = self.learner_of(known[name])
            while one is not None:
                needed.add(one.folder)
                one = self.start_of(one)
        models = (model for model in self.models if model.folder in needed)
        tested = (one if one.folder in names else replace(one, tests=()) for one in models)
        return replace(self, models=tuple(tested))


def read_suite(path: Path) -> Suite:
    """The suite of a TOML file."""
    return from_mapping(Suite, read_toml(path), place=path.name)


def _twice(names: Iterable[str]) -> list[str]:
    known = list(names)
    return sorted({name for name in known if known.count(name) > 1})
