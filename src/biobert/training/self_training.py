"""Self-training: what a model is sure of joins the training data of the next one."""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

from biobert.core.annotate import Answer, answer_documents
from biobert.core.certainty import has_certainty
from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import read_json, write_text
from biobert.core.model_folder import MANIFEST, ModelManifest, read_manifest
from biobert.core.questions import NO_ANSWER, candidates
from biobert.core.settings import differences
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects
from biobert.model.predictor import load_predictor
from biobert.tasks import build_task
from biobert.text.keys import keys_of, text_key
from biobert.text.tokenizer import Tokenizer
from biobert.training.corpora import note_set_aside, read_sources
from biobert.training.folder import check_no_model
from biobert.training.loop import Listener
from biobert.training.material import RunPlaces
from biobert.training.parallel import check_one_process
from biobert.training.recipe import DataSource, Recipe

REPORT, RECIPE = "self-training.json", "self-training-recipe.json"
ROUNDS, SILVER = "rounds", "silver.jsonl"
DOCUMENTS_AT_ONCE = 64


class Train(Protocol):
    """One run of a recipe without self-training."""

    def __call__(
        self, recipe: Recipe, places: RunPlaces, *, listener: Listener, resume: bool
    ) -> ModelManifest:
        """The manifest of the model folder that it wrote."""
        ...


@dataclass(frozen=True, slots=True)
class RoundReport:
    """One round: of the `weighed` new texts those that were `sure`, and what they say.

    `empty` counts the sure texts without any answer (a sentence without mentions). `known` texts
    stand in the training or devel data and are left out. Round 0 is the first teacher.
    """

    round: int
    weighed: int = 0
    known: int = 0
    sure: int = 0
    empty: int = 0
    labels: Mapping[str, int] = field(default_factory=dict)
    devel: float | None = None


def self_train(
    recipe: Recipe, places: RunPlaces, train: Train, *, listener: Listener, resume: bool
) -> ModelManifest:
    """The teacher and all students by `[self_training]`, each in a folder of its own below
    `rounds`; the best of them is copied to the output.

    A round that is done is not done again by `resume`. Runs in one process.
    """
    settings = recipe.self_training
    assert settings is not None
    check_one_process("[self_training]")
    _check_teacher(recipe)
    _check_output(recipe, places.output, resume=resume)
    with write_text(places.output / RECIPE) as stream:
        json.dump(recipe.resolved(), stream, indent=2)
    plain = replace(recipe, self_training=None)
    earlier, reports = _reported(places.output), list[RoundReport]()
    for number in range(settings.rounds + 1):
        folder = places.output / ROUNDS / str(number)
        report, sources = RoundReport(number), recipe.data.train
        if number:
            silver = folder / SILVER
            if number in earlier and silver.is_file():
                report = earlier[number]
            else:
                report = _annotated(recipe, places, silver, number, listener)
            listener.noted(_told(report))
            _write([*reports, report], places.output)
            if not report.sure:
                break
            sources = (*sources, DataSource(str(silver), times=settings.times))
        student = replace(plain, data=replace(recipe.data, train=sources))
        manifest = _trained(student, replace(places, output=folder), train, listener)
        reports.append(replace(report, devel=manifest.metrics.get("devel")))
        _write(reports, places.output)
    return _kept(reports, places.output, listener)


def sure_answers(
    answers: Iterable[Answer], minimum: float, labels: Sequence[str]
) -> list[Document]:
    """The answers that are sure enough, as documents that are annotated for all `labels`."""
    return [
        replace(_as_gold(one.document), annotated_labels=tuple(labels))
        for one in answers
        if one.certainty >= minimum
    ]


def _as_gold(document: Document) -> Document:
    """A question with its one answer, or none: candidates behind it are not what the model says."""
    if NO_ANSWER not in document.label_scores:
        return document
    best = () if NO_ANSWER in document.labels else candidates(document)[:1]
    return replace(document, entities=tuple(best))


def _check_teacher(recipe: Recipe) -> None:
    """An error for a task whose answers are never sure, or belong to a part that none can tell."""
    settings = dict(recipe.task)
    name = settings.pop("name")
    if name == "multitask" or not all(map(has_certainty, build_task(name, settings).heads())):
        raise BadInputError(
            f"[self_training] does not fit {name!r}, whose answers no student can learn from; "
            "leave it out, or give each part of a multitask a recipe of its own"
        )


def _check_output(recipe: Recipe, output: Path, *, resume: bool) -> None:
    """An error where the folder holds a model without rounds, or rounds that are not gone on with:
    of the recipe that they were trained by nothing may change, but there may be more of them."""
    if not (output / ROUNDS).exists():
        check_no_model(output)
    elif not resume:
        raise BadInputError(
            f"{output} holds the rounds of an earlier run; add --resume to go on with it, "
            "or choose another --output"
        )
    elif (output / ROUNDS / "0" / MANIFEST).is_file() and (output / RECIPE).is_file():
        before, wanted = read_json(output / RECIPE, missing=""), recipe.resolved()
        rounds = before["self_training"]["rounds"]
        before["self_training"]["rounds"] = max(rounds, wanted["self_training"]["rounds"])
        if changed := differences(before, json.loads(json.dumps(wanted))):
            raise BadInputError(
                f"{output}: the recipe changed ({'; '.join(changed)}); resume with the same recipe "
                "or more self_training.rounds, or train into another --output"
            )


def _annotated(
    recipe: Recipe, places: RunPlaces, silver: Path, number: int, listener: Listener
) -> RoundReport:
    """Write what the teacher is sure of; a file that a stopped run wrote is taken as it is."""
    settings = recipe.self_training
    assert settings is not None
    rejects = Rejects()
    texts = _read(settings.unlabelled, places, rejects)
    note_set_aside(rejects, listener.noted)
    # What is set aside of these two was told when the teacher learnt from them.
    known = keys_of(_read(recipe.data.train, places, Rejects()))
    known |= keys_of(_read(recipe.data.devel, places, Rejects()))
    answers = list(_answers(texts, silver.parent.with_name(str(number - 1))))
    fresh = [one for one in answers if text_key(one.document.text) not in known]
    if not silver.is_file():
        labels = recipe.task.get("labels", ())
        write_documents(sure_answers(fresh, settings.minimum_score, labels), silver, "jsonl")
    sure = list(read_documents(silver, "jsonl"))
    told = Counter(label for one in sure for label in _told_labels(one))
    return RoundReport(
        number,
        weighed=len(fresh),
        known=len(answers) - len(fresh),
        sure=len(sure),
        empty=sum(not _told_labels(one) for one in sure),
        labels=dict(told.most_common()),
    )


def _answers(documents: Sequence[Document], folder: Path) -> Iterator[Answer]:
    manifest = read_manifest(folder)
    task = build_task(manifest.task, manifest.task_settings)
    tokenizer = Tokenizer.from_folder(folder)
    predictor = load_predictor(folder, task.heads())
    for start in range(0, len(documents), DOCUMENTS_AT_ONCE):
        yield from answer_documents(
            documents[start : start + DOCUMENTS_AT_ONCE],
            task=task,
            tokenizer=tokenizer,
            predictor=predictor,
        )


def _trained(recipe: Recipe, places: RunPlaces, train: Train, listener: Listener) -> ModelManifest:
    if (places.output / MANIFEST).is_file():
        return read_manifest(places.output)
    manifest = train(recipe, places, listener=listener, resume=True)
    shutil.rmtree(places.output / "checkpoints", ignore_errors=True)
    return manifest


def _kept(reports: Sequence[RoundReport], output: Path, listener: Listener) -> ModelManifest:
    """The best model on devel, of equals the earliest; without devel the last."""
    best = reports[-1]
    if best.devel is not None:
        best = max(reports, key=lambda one: (one.devel or 0.0, -one.round))
    listener.noted(f"self-training: the model of round {best.round} is kept")
    folder = output / ROUNDS / str(best.round)
    # First it leaves and last it comes: it says that the model is whole.
    (output / MANIFEST).unlink(missing_ok=True)
    shutil.copytree(folder, output, ignore=shutil.ignore_patterns(MANIFEST), dirs_exist_ok=True)
    shutil.copyfile(folder / MANIFEST, output / MANIFEST)
    return read_manifest(output)


def _read(sources: Sequence[DataSource], places: RunPlaces, rejects: Rejects) -> list[Document]:
    found = read_sources(sources, places.corpora, rejects=rejects)
    return [document for some in found.values() for document in some]


def _told_labels(document: Document) -> list[str]:
    """What a document says, by label."""
    entities = (one.label for one in document.entities)
    return [*entities, *(one.label for one in document.relations), *document.labels]


def _told(report: RoundReport) -> str:
    labels = ", ".join(f"{label} {count}" for label, count in report.labels.items())
    return (
        f"self-training round {report.round}: sure of {report.sure} of {report.weighed} texts "
        f"({report.empty} of them without answers; {labels or 'no labels'}); "
        f"{report.known} known ones left out"
    )


def _reported(output: Path) -> dict[int, RoundReport]:
    """What a stopped run has told of its rounds."""
    path = output / REPORT
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return {row["round"]: RoundReport(**row) for row in rows}


def _write(reports: Sequence[RoundReport], output: Path) -> None:
    with write_text(output / REPORT) as stream:
        json.dump([asdict(one) for one in reports], stream, indent=2)
