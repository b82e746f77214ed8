"""A benchmark suite: recipes trained over seeds and scored on test sets, resumable.

A suite is a TOML file beside its recipes. Every trained model and every report stays in the output
folder, so a stopped run goes on where it was, and each figure of the table can be looked into.
"""

import json
import shutil
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import files_at, read_json, sha256_of, sha256_of_all, write_text
from biobert.core.model_folder import MANIFEST, read_manifest
from biobert.core.settings import differences, from_mapping, override, read_toml
from biobert.data.catalogue import find_split, load_corpus
from biobert.data.rejects import Rejects
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.evaluating import CorpusPlaces, TestSet, evaluate
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks import build_task
from biobert.training.corpora import describe, read_sources
from biobert.training.recipe import read_recipe

Train = Callable[[Mapping[str, Any], Path], None]
"""Trains by the tables of a recipe into a folder, going on with a stopped run."""
Note = Callable[[str], None]
ASKED, SECONDS = "asked.json", "seconds.json"
"""Beside a model: the tables it was asked for by, and how long it trained."""
REPORTS = "reports"
SECONDS_BETWEEN_NOTES = 60.0


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
    """A recipe (a path from the suite's folder), settings that it changes, and its test sets.

    `name` is that of its folder; None takes the recipe's file name without its ending.
    """

    recipe: str
    tests: tuple[SuiteTest, ...]
    set: tuple[str, ...] = ()
    name: str | None = None

    @property
    def folder(self) -> str:
        """What it is called, and its folder."""
        return self.name or Path(self.recipe).stem


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
        if not self.seeds or not tests:
            raise BadInputError(f"suite {self.name!r}: give at least one seed, model and test")


@dataclass(frozen=True, slots=True)
class Cell:
    """One test of one model over all seeds: main scores, intervals and minutes of each run.

    `checksum` is the SHA-256 of the test set's file, of several that of their checksums;
    `set_aside` counts the records that could not be read, `failure` says why there are no scores.
    """

    test: str
    task: str
    measure: str
    corpus: str
    split: str
    checksum: str
    documents: int
    set_aside: int
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

        A model that cannot be trained or tested is a cell with its failure; the others go on. Where
        the folder holds models of other settings or training data, nothing is begun.
        """
        self._check_folders()
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
            checksum=reports[0]["test_set"]["checksum"],
            documents=reports[0]["documents"],
            set_aside=reports[0]["set_aside"],
            seeds=self.suite.seeds,
            scores=tuple(one["scores"]["main"] for one in reports),
            intervals=tuple((one["interval"]["low"], one["interval"]["high"]) for one in reports),
            without_shared=tuple(one.get("main") for one in shared),
            minutes=tuple(_read(folder / SECONDS)["seconds"] / 60 for folder in folders),
            published=test.published,
        )

    def _check_folders(self) -> None:
        for model in self.suite.models:
            for seed in self.suite.seeds:
                folder = self._folder(model, seed)
                changed = _changes(folder, self._tables(model, seed)) if _begun(folder) else []
                if changed:
                    raise BadInputError(
                        f"{folder} holds a run of other settings ({'; '.join(changed)}); "
                        "choose another --output"
                    )
            self._check_data(model)

    def _check_data(self, model: SuiteModel) -> None:
        """What models that stand have learnt from is what their recipe names."""
        folders = [self._folder(model, seed) for seed in self.suite.seeds]
        manifests = {one: read_manifest(one).data for one in folders if (one / MANIFEST).is_file()}
        if not manifests:
            return
        tables = self._tables(model, self.suite.seeds[0])
        try:
            recipe = read_recipe(tables, place=model.recipe)
            found = read_sources(recipe.data.train, rejects=Rejects(), **asdict(self.places))
        except BiobertError:
            return  # what is not at hand cannot be compared
        described = {name: describe(some) for name, some in found.items()}
        for folder, data in manifests.items():
            changed = [name for name, what in described.items() if data.get(name, what) != what]
            if changed:
                raise BadInputError(
                    f"{folder} has learnt from other data than there is now in "
                    f"{', '.join(changed)}; bring the old one back, or choose another --output"
                )

    def _folder(self, model: SuiteModel, seed: int) -> Path:
        return self.output / model.folder / f"seed-{seed}"

    def _tables(self, model: SuiteModel, seed: int) -> dict[str, Any]:
        tables = read_toml(self.recipes / model.recipe)
        return override(tables, [*model.set, *self.changes, f"run.seed={seed}"])

    def _trained(self, model: SuiteModel, seed: int) -> Path:
        """The model folder of a seed; trained now unless it stands there whole."""
        folder = self._folder(model, seed)
        if (folder / MANIFEST).is_file() and (folder / SECONDS).is_file():
            return folder
        self.note(f"{model.folder}, seed {seed}: training")
        tables = self._tables(model, seed)
        shutil.rmtree(folder / REPORTS, ignore_errors=True)  # they are of a model that was here
        _write(folder / ASKED, tables)
        with _timed(folder / SECONDS):
            self.train(tables, folder)
        return folder

    def _report(self, folder: Path, test: SuiteTest) -> dict[str, Any]:
        """The report of a test; made now unless that of the same test set, model and measure stands
        there."""
        path = folder / REPORTS / f"{test.name}.json"
        manifest = read_manifest(folder)
        asked = {**asdict(test.test_set()), "checksum": _checksum(test, self.places)}
        asked["model"] = sha256_of(folder / MANIFEST)
        asked["measure"] = build_task(manifest.task, manifest.task_settings).measure()
        asked = json.loads(json.dumps(asked))
        report = _read(path)
        if report.get("test_set") == asked:
            return report
        self.note(f"{test.name}: scoring {folder.name}")
        annotator = Annotator(folder, settings=self.settings)
        found = evaluate(annotator, test.test_set(), self.places).to_json()
        report = {"test_set": asked, **found}
        _write(path, report)
        return report


def _twice(names: Iterable[str]) -> list[str]:
    known = list(names)
    return sorted({name for name in known if known.count(name) > 1})


def _begun(folder: Path) -> bool:
    """Whether a run has left anything; one that failed at once may be asked anew."""
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return bool(there - {ASKED, SECONDS})


def _changes(folder: Path, tables: Mapping[str, Any]) -> list[str]:
    if not (folder / ASKED).is_file():
        return [f"no {ASKED} tells them"]
    return differences(_read(folder / ASKED), tables)


def _failed(test: SuiteTest, failure: str) -> Cell:
    return Cell(
        test=test.name,
        task="",
        measure="",
        corpus=test.corpus,
        split=test.split,
        checksum="",
        documents=0,
        set_aside=0,
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
    if place.exists():
        return sha256_of_all(files_at(place))
    corpus = load_corpus(test.corpus)
    return sha256_of_all(find_split(corpus, test.split, **asdict(places)).files)


@contextmanager
def _timed(path: Path) -> Iterator[None]:
    """Add the seconds that this takes to those of the file, also now and then: what a killed run
    took counts too."""
    before, began, ended = _read(path).get("seconds", 0.0), time.perf_counter(), Event()

    def note() -> None:
        _write(path, {"seconds": before + time.perf_counter() - began})

    def note_now_and_then() -> None:
        while not ended.wait(SECONDS_BETWEEN_NOTES):
            note()

    thread = Thread(target=note_now_and_then, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        note()


def _read(path: Path) -> dict[str, Any]:
    """The values of a file that was written here; none where there is none."""
    return read_json(path, missing="") if path.is_file() else {}


def _write(path: Path, values: Mapping[str, Any]) -> None:
    with write_text(path) as stream:
        json.dump(values, stream, indent=2, ensure_ascii=False)
