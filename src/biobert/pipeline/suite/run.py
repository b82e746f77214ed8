"""Running a benchmark suite: recipes trained over seeds and scored on test sets, resumable.

Every trained model and every report stays in the output folder, so a stopped run goes on where it
was, and each figure of the table can be looked into.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

from biobert.core.document import Document
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import files_at, read_json, sha256_of, sha256_of_all, write_text
from biobert.core.model_folder import MANIFEST, ModelManifest, read_manifest
from biobert.core.settings import from_mapping, override, read_toml
from biobert.data.catalogue import find_split, load_corpus
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.evaluation.overlap import Shared, shared_in_part, shared_spans
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.ensemble import write_ensemble
from biobert.pipeline.evaluating import evaluate, read_gold, shared_unit
from biobert.pipeline.learning_curve import Train
from biobert.pipeline.run_settings import ASKED, check_asked, keep_asked
from biobert.pipeline.suite.cells import Cell, failed_cell
from biobert.pipeline.suite.description import SeedAndFold, Suite, SuiteModel, SuiteTest
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks import build_task
from biobert.training.corpora import describe, read_sources
from biobert.training.recipe import Recipe, read_recipe

Note = Callable[[str], None]
Failures = Mapping[tuple[str, SeedAndFold], str]
"""Why a turn of a model came to nothing."""
SECONDS = "seconds.json"
"""Beside a model: how long it trained."""
REPORTS, JOINED = "reports", "joined"
SECONDS_BETWEEN_NOTES = 60.0


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

    def cells(self, finish_turns: Callable[[Self], Failures] | None = None) -> Iterator[Cell]:
        """Train what is not trained yet and score what is not scored yet, cell by cell.

        `finish_turns` may do that for all turns before, in an order of its own.
        A model that cannot be trained or tested is a cell with its failure; the others go on. Where
        the folder holds models of other settings or training data, nothing is begun.
        """
        self._check_folders()
        self._check_leaks()
        failures = finish_turns(self) if finish_turns else {}
        for model in self.suite.models:
            for test in model.tests:
                try:
                    yield self._cell(model, test, failures)
                except BiobertError as problem:
                    self.note(f"{test.name}: {problem}")
                    yield failed_cell(test, str(problem))

    def finish(self, model: SuiteModel, turn: SeedAndFold) -> None:
        """Train and score one turn of a model, as far as that is not done.

        A test set that cannot be scored is left to `cells`, which says why.
        """
        folder = self._trained(model, turn)
        for test in model.tests:
            with suppress(BiobertError):
                self._report(folder, test)

    def _cell(self, model: SuiteModel, test: SuiteTest, failures: Failures) -> Cell:
        learner = self.suite.learner_of(model)
        turns = learner.turns(self.suite.seeds)
        for turn in turns:
            if failure := failures.get((learner.folder, turn)):
                raise BiobertError(failure)
        folders = [self._trained(learner, turn) for turn in turns]
        if model.ensemble is not None:
            folders = [self._joined(model, folders)]
        reports = [self._report(folder, test) for folder in folders]
        manifests = [read_manifest(folder) for folder in folders]
        task = build_task(manifests[0].task, manifests[0].task_settings)
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
            shared=tuple(_shared(one) for one in reports),
            minutes=tuple(_read(folder / SECONDS)["seconds"] / 60 for folder in folders),
            published=test.published,
            incomparable=test.incomparable,
            folds=model.folds,
            encoder=learner.start or self._encoder(learner, turns[0]),
            changes=(*learner.set, *self.changes),
            trained_on={name: what for one in manifests for name, what in one.data.items()},
            version=_versions(manifests),
        )

    def _check_folders(self) -> None:
        for model in self.suite.models:
            for turn in model.turns(self.suite.seeds):
                asked = self._asked(model, turn)
                check_asked(self._folder(model, turn), asked, notes=(SECONDS,))
            for fold in model.folds or (None,):
                self._check_data(model, [SeedAndFold(seed, fold) for seed in self.suite.seeds])

    def _check_data(self, model: SuiteModel, turns: Sequence[SeedAndFold]) -> None:
        """What models that stand have learnt from is what their recipe names."""
        folders = [self._folder(model, turn) for turn in turns]
        manifests = {one: read_manifest(one).data for one in folders if (one / MANIFEST).is_file()}
        if not manifests:
            return
        try:
            found = self._sources(self._recipe(model, turns[0]))
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

    def _check_leaks(self) -> None:
        """Say of each test set, before its model is trained, what of it will be learnt from."""
        for model in self.suite.models:
            learner = self.suite.learner_of(model)
            turn = learner.turns(self.suite.seeds)[0]
            for test in () if _is_trained(self._folder(learner, turn)) else model.tests:
                try:
                    self.note(f"{test.name}: {self._leak(learner, turn, test)}")
                except BiobertError as problem:
                    self.note(f"{test.name}: not compared with the training data: {problem}")

    def _leak(self, model: SuiteModel, turn: SeedAndFold, test: SuiteTest) -> str:
        gold = read_gold(test.test_set(), test.split, self.places)
        settings = dict(self._recipe(model, turn).task)
        unit = shared_unit(build_task(settings.pop("name"), settings))
        learnt = self._learnt(model, turn)
        shared = shared_spans(gold, learnt, unit)
        said = f"{sum(map(len, shared))} {unit} of it stand in the training data too"
        if unit == "documents":
            said += f", a passage or a sentence of {sum(shared_in_part(gold, learnt))} does"
        return said

    def _learnt(self, model: SuiteModel, turn: SeedAndFold) -> list[Document]:
        """The documents that the model learns from, and that the one it begins from does."""
        found = self._sources(self._recipe(model, turn))
        documents = [document for some in found.values() for document in some]
        start = self.suite.start_of(model)
        return (
            documents if start is None else documents + self._learnt(start, SeedAndFold(turn.seed))
        )

    def _sources(self, recipe: Recipe) -> dict[str, list[Document]]:
        return read_sources(recipe.data.train, self.places, rejects=Rejects())

    def _recipe(self, model: SuiteModel, turn: SeedAndFold) -> Recipe:
        return read_recipe(self._asked(model, turn), place=model.recipe or model.folder)

    def _folder(self, model: SuiteModel, turn: SeedAndFold) -> Path:
        return self.output / model.folder / turn.folder

    def _asked(self, model: SuiteModel, turn: SeedAndFold) -> dict[str, Any]:
        """The tables that a model is asked for by; a model that it begins from is named by its
        place in the output folder, which may be moved."""
        assert model.recipe is not None
        changes = [*model.set, *self.changes, f"run.seed={turn.seed}"]
        tables = override(read_toml(self.recipes / model.recipe), changes)
        if model.start is not None:
            tables = _with_encoder(tables, f"{model.start}/{SeedAndFold(turn.seed).folder}")
        return tables if turn.fold is None else _with_fold(tables, model.folds, turn.fold)

    def _encoder(self, model: SuiteModel, turn: SeedAndFold) -> str:
        """The checkpoint that a model begins from; of random weights nothing."""
        return str(self._asked(model, turn).get("model", {}).get("encoder", ""))

    def _trained(self, model: SuiteModel, turn: SeedAndFold) -> Path:
        """The model folder of a turn; trained now unless it stands there whole."""
        folder = self._folder(model, turn)
        if _is_trained(folder):
            return folder
        asked = tables = self._asked(model, turn)
        if (start := self.suite.start_of(model)) is not None:
            tables = _with_encoder(asked, str(self._trained(start, SeedAndFold(turn.seed))))
        self.note(f"{model.folder}, {turn.folder}: training")
        shutil.rmtree(folder / REPORTS, ignore_errors=True)  # they are of a model that was here
        keep_asked(folder, asked)
        with _timed(folder / SECONDS):
            self.train(tables, folder)
        return folder

    def _joined(self, model: SuiteModel, members: Sequence[Path]) -> Path:
        """The folder of an ensemble; written now unless that of the same members and rule stands
        there whole. Its seconds are those of all members."""
        folder = self.output / model.folder / JOINED
        asked = {"rule": model.rule, "members": [sha256_of(one / MANIFEST) for one in members]}
        if _read(folder / ASKED) == asked:
            return folder
        self.note(f"{model.folder}: joining {len(members)} models")
        shutil.rmtree(folder, ignore_errors=True)
        write_ensemble(members, folder, name=model.folder, rule=model.rule, places=self.places)
        seconds = sum(_read(one / SECONDS)["seconds"] for one in members)
        _write(folder / SECONDS, {"seconds": seconds})
        keep_asked(folder, asked)
        return folder

    def _report(self, folder: Path, test: SuiteTest) -> dict[str, Any]:
        """The report of a test; made now unless that of the same test set, model and measure stands
        there."""
        path = folder / REPORTS / f"{test.name}.json"
        manifest = read_manifest(folder)
        asked = {**asdict(test.test_set()), "checksum": _checksum(test, self.places)}
        asked["model"] = sha256_of(folder / MANIFEST)
        task = build_task(manifest.task, manifest.task_settings)
        asked["measure"], asked["unit"] = task.measure(), shared_unit(task)
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


def _with_encoder(tables: Mapping[str, Any], encoder: str) -> dict[str, Any]:
    return {**tables, "model": {**tables.get("model", {}), "encoder": encoder}}


def _with_fold(tables: Mapping[str, Any], folds: Sequence[str], fold: str) -> dict[str, Any]:
    """The recipe's own sources, with one fold as devel and the others to learn from."""
    splits = {"train": [one for one in folds if one != fold], "devel": [fold]}
    data = tables.get("data", {})
    parts = {
        name: [{**source, "splits": some} for source in data.get(name, ())]
        for name, some in splits.items()
    }
    return {**tables, "data": {**data, **parts}}


def _is_trained(folder: Path) -> bool:
    return (folder / MANIFEST).is_file() and (folder / SECONDS).is_file()


def _versions(manifests: Sequence[ModelManifest]) -> str:
    return ", ".join(sorted({one.versions.get("biobert", "") for one in manifests} - {""}))


def _shared(report: Mapping[str, Any]) -> Shared | None:
    values = report["shared_with_train"]
    return None if values is None else from_mapping(Shared, values, place=REPORTS)


def _checksum(test: SuiteTest, places: CorpusPlaces) -> str:
    place = Path(test.corpus)
    if place.exists():
        return sha256_of_all(files_at(place))
    corpus = load_corpus(test.corpus)
    return sha256_of_all(find_split(corpus, test.split, places).files)


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
