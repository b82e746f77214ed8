"""A benchmark suite: recipes trained over seeds and scored on test sets, resumable.

A suite is a TOML file beside its recipes. Every trained model and every report stays in the output
folder, so a stopped run goes on where it was, and each figure of the table can be looked into.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import sha256_of, write_text
from biobert.core.model_folder import MANIFEST, read_manifest
from biobert.core.settings import from_mapping, override, read_toml
from biobert.data.catalogue import corpus_names, find_split, load_corpus
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.evaluating import CorpusPlaces, TestSet, evaluate
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks import build_task

Train = Callable[[Mapping[str, Any], Path], None]
"""Trains by the tables of a recipe into a folder, going on with a stopped run."""
Note = Callable[[str], None]
SECONDS = "seconds.json"


@dataclass(frozen=True, slots=True)
class Published:
    """What others report on the same test set, and where they say so."""

    system: str
    score: float
    source: str


@dataclass(frozen=True, slots=True)
class SuiteTest:
    """A test set, named as in the table."""

    name: str
    corpus: str
    split: str = "test"
    rename: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    published: tuple[Published, ...] = ()

    def test_set(self) -> TestSet:
        """What is evaluated."""
        return TestSet(self.corpus, self.split, self.rename, self.labels)


@dataclass(frozen=True, slots=True)
class SuiteModel:
    """A recipe (a path from the suite's folder), settings that it changes, and its test sets."""

    recipe: str
    tests: tuple[SuiteTest, ...]
    set: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The recipe's file name without its ending."""
        return Path(self.recipe).stem


@dataclass(frozen=True, slots=True)
class Suite:
    """What is trained and tested, over which seeds."""

    name: str
    models: tuple[SuiteModel, ...]
    description: str = ""
    seeds: tuple[int, ...] = (1, 2, 3)

    def __post_init__(self) -> None:
        names = [test.name for model in self.models for test in model.tests]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise BadInputError(f"suite {self.name!r} names a test twice: {', '.join(twice)}")
        if not self.seeds or not names:
            raise BadInputError(f"suite {self.name!r}: give at least one seed, model and test")


@dataclass(frozen=True, slots=True)
class Cell:
    """One test of one model over all seeds: main scores, intervals and minutes of each run.

    `checksum` is the SHA-256 of the test set's file; `failure` says why there are no scores.
    """

    test: str
    task: str
    measure: str
    corpus: str
    split: str
    checksum: str
    documents: int
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    without_shared: tuple[float | None, ...]
    minutes: tuple[float, ...]
    published: tuple[Published, ...] = ()
    failure: str = ""

    @property
    def mean(self) -> float:
        """Of the scores over seeds."""
        return statistics.mean(self.scores)

    @property
    def deviation(self) -> float | None:
        """The standard deviation over seeds; None for a single one."""
        return statistics.stdev(self.scores) if len(self.scores) > 1 else None

    def to_json(self) -> dict[str, Any]:
        """Plain values, with mean and deviation."""
        summary = {"mean": self.mean, "deviation": self.deviation} if self.scores else {}
        return {**asdict(self), **summary}


def read_suite(path: Path) -> Suite:
    """The suite of a TOML file."""
    return from_mapping(Suite, read_toml(path), place=path.name)


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """One call: where recipes lie, where results go, and who trains."""

    suite: Suite
    recipes: Path
    output: Path
    places: CorpusPlaces
    train: Train
    note: Note
    changes: Sequence[str] = ()
    settings: RuntimeSettings = RuntimeSettings()

    def cells(self) -> Iterator[Cell]:
        """Train what is not trained yet and score what is not scored yet, cell by cell.

        A model that cannot be trained or tested is a cell with its failure; the others go on.
        """
        for model in self.suite.models:
            for test in model.tests:
                try:
                    yield self._cell(model, test)
                except BiobertError as problem:
                    self.note(f"{test.name}: {problem}")
                    yield _failed(test, str(problem))

    def _cell(self, model: SuiteModel, test: SuiteTest) -> Cell:
        folders = [self._trained(model, seed) for seed in self.suite.seeds]
        reports = [self._report(folder, test) for folder in folders]
        manifest = read_manifest(folders[0])
        task = build_task(manifest.task, manifest.task_settings)
        shared = [one["shared_with_train"] or {} for one in reports]
        return Cell(
            test=test.name,
            task=task.name,
            measure=task.measure(),
            corpus=test.corpus,
            split=test.split,
            checksum=_checksum(test, self.places),
            documents=reports[0]["documents"],
            seeds=self.suite.seeds,
            scores=tuple(one["scores"]["main"] for one in reports),
            intervals=tuple((one["interval"]["low"], one["interval"]["high"]) for one in reports),
            without_shared=tuple(one.get("main") for one in shared),
            minutes=tuple(_read(folder / SECONDS)["seconds"] / 60 for folder in folders),
            published=test.published,
        )

    def _trained(self, model: SuiteModel, seed: int) -> Path:
        """The model folder of a seed; trained now unless it stands there whole."""
        folder = self.output / model.name / f"seed-{seed}"
        if (folder / MANIFEST).is_file() and (folder / SECONDS).is_file():
            return folder
        self.note(f"{model.name}, seed {seed}: training")
        tables = read_toml(self.recipes / model.recipe)
        tables = override(tables, [*model.set, *self.changes, f"run.seed={seed}"])
        began = time.perf_counter()
        self.train(tables, folder)
        _write(folder / SECONDS, {"seconds": time.perf_counter() - began})
        return folder

    def _report(self, folder: Path, test: SuiteTest) -> dict[str, Any]:
        path = folder / "reports" / f"{test.name}.json"
        if path.is_file():
            return _read(path)
        self.note(f"{test.name}: scoring {folder.name}")
        annotator = Annotator(folder, settings=self.settings)
        report = evaluate(annotator, test.test_set(), self.places).to_json()
        _write(path, report)
        return report


def _failed(test: SuiteTest, failure: str) -> Cell:
    return Cell(
        test=test.name,
        task="",
        measure="",
        corpus=test.corpus,
        split=test.split,
        checksum="",
        documents=0,
        seeds=(),
        scores=(),
        intervals=(),
        without_shared=(),
        minutes=(),
        published=test.published,
        failure=failure,
    )


def _checksum(test: SuiteTest, places: CorpusPlaces) -> str:
    place = Path(test.corpus)
    if place.is_file():
        return sha256_of(place)
    if test.corpus not in corpus_names():
        return ""
    corpus = load_corpus(test.corpus)
    found = find_split(corpus, test.split, data_root=places.data_root, cache=places.cache)
    return sha256_of(found.path)


def _read(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


def _write(path: Path, values: Mapping[str, Any]) -> None:
    with write_text(path) as stream:
        json.dump(values, stream, indent=2, ensure_ascii=False)
