"""The models of a service by name: loaded, warmed, replaced while they answer."""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import sha256_of
from biobert.core.model_folder import MANIFEST, read_manifest
from biobert.core.shelf import unknown_name
from biobert.core.task import Task, Window
from biobert.pipeline.answerer import TASK as QUESTIONS
from biobert.pipeline.embedder import Embedder
from biobert.pipeline.gap_filler import GapFiller
from biobert.pipeline.load import LoadedModel, load_model, model_folder
from biobert.runtime.settings import RuntimeSettings
from biobert.serving.batching import Batcher, Job, JobPredictor
from biobert.serving.logs import log
from biobert.serving.refusals import Refusal, invalid
from biobert.serving.settings import ServedModel
from biobert.tasks.classification import Classification
from biobert.tasks.cloze import Cloze
from biobert.tasks.embedding import Embedding
from biobert.tasks.multitask import tasks_in
from biobert.tasks.pretraining import Pretraining

Use = Literal["documents", "embed", "fill-mask"]
Wanted = Callable[[Task], bool]
"""Whether a task is one that is asked for."""
GAP = "Aspirin [MASK] fever."
PROBE = "Aspirin may cause gastric ulcers."


@dataclass(frozen=True, slots=True)
class Identity:
    """Which model answers: its name here, its task and version, and a digest of its files.

    `tasks` are all that it does, each with its labels: of a multitask those of its parts.
    """

    name: str
    task: str
    version: str
    digest: str
    tasks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """Those of all its tasks."""
        return tuple(dict.fromkeys(label for labels in self.tasks.values() for label in labels))

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.digest}"

    def shown(self) -> dict[str, Any]:
        """As answers show it."""
        return {"name": self.name, "version": self.version, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Served:
    """A model that answers under a name."""

    identity: Identity
    use: Use
    model: LoadedModel | Embedder | GapFiller

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What a model for documents was trained for."""
        return tasks_in(self.model.task) if isinstance(self.model, LoadedModel) else ()

    def documents(self, batcher: Batcher, job: Job, wanted: Wanted | None = None) -> LoadedModel:
        """The model for one job; of its tasks it does those that are wanted alone."""
        if not isinstance(self.model, LoadedModel):
            raise self._wrong("answers about documents")
        unknown = self.model.tokenizer.special("unk")
        read = job.read[self.identity.name]
        predictor = JobPredictor(batcher, self.model.predictor, job, read, unknown_id=unknown)
        model = replace(self.model, predictor=predictor)
        return model if wanted is None else model.narrowed(wanted)

    def embedder(self, batcher: Batcher, job: Job) -> Embedder:
        """The embedder for one job."""
        if not isinstance(self.model, Embedder):
            raise self._wrong("gives vectors")
        unknown = self.model.tokenizer.special("unk")
        read = job.read[self.identity.name]
        return self.model.through(
            lambda one: JobPredictor(batcher, one, job, read, unknown_id=unknown)
        )

    def filler(self, batcher: Batcher, job: Job) -> GapFiller:
        """The filler of gaps for one job."""
        if not isinstance(self.model, GapFiller):
            raise self._wrong("fills gaps")
        read = job.read[self.identity.name]
        return self.model.through(lambda one: JobPredictor(batcher, one, job, read))

    def warm(self) -> None:
        """Let the model answer once: what is broken shows, and the first request is no slower."""
        if isinstance(self.model, Embedder):
            self.model.embed("Aspirin")
        elif isinstance(self.model, GapFiller):
            self.model.fill(GAP)
        else:
            _predict_row(self.model)

    def _wrong(self, wanted: str) -> Refusal:
        return invalid(
            f"model {self.identity.name!r} is for {self.identity.task!r}; name one that {wanted}"
        )


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload did: the model before and the one that answers now."""

    before: Identity
    now: Identity
    seconds: float


class Models:
    """All models of a process. Replacing one is one step: a job keeps what it began with."""

    def __init__(self, settings: Sequence[ServedModel], runtime: RuntimeSettings) -> None:
        """Load and warm all of them; an error names the one that cannot be used."""
        self._settings = {one.name: one for one in settings}
        self._runtime = runtime
        self._bases: dict[str, Any] = {}
        self._loading = threading.Lock()
        self._served: Mapping[str, Served] = {
            name: self._load(one) for name, one in self._settings.items()
        }

    def all(self) -> list[Served]:
        """Every model, in the order of the settings."""
        return list(self._served.values())

    def named(self, name: str) -> Served:
        """The model of that name, or Refusal."""
        if name not in self._served:
            raise Refusal(404, "model-not-loaded", str(unknown_name("model", name, self._served)))
        return self._served[name]

    def choose(self, name: str | None, wanted: Callable[[Served], bool], *, need: str) -> Served:
        """The model of that name, or the first that is wanted; `need` says what to load."""
        if name is not None:
            chosen = self.named(name)
            if not wanted(chosen):
                raise invalid(
                    f"model {name!r} was trained for {chosen.identity.task!r}; this needs {need}"
                )
            return chosen
        found = next((one for one in self._served.values() if wanted(one)), None)
        if found is None:
            raise Refusal(
                404,
                "model-not-loaded",
                f"no model for this is loaded; start the service with --model NAME=FOLDER: {need}",
            )
        return found

    def reload(self, name: str) -> Reloaded:
        """Load a model's folder anew beside the old one, warm it, and let it answer.

        Raises BadInputError where it cannot be used; the old one goes on answering.
        """
        self.named(name)
        began = time.monotonic()
        with self._loading:
            before = self._served[name]
            fresh = self._load(self._settings[name])
            # One assignment: a job sees the old one or the new one, never a mixture.
            self._served = {**self._served, name: fresh}
        return Reloaded(before.identity, fresh.identity, time.monotonic() - began)

    def _load(self, settings: ServedModel) -> Served:
        # A broken file fails in as many ways as there are libraries; all of them mean the same.
        with ThreadPoolExecutor(1) as alone:
            loading = alone.submit(_loaded, settings, self._runtime, self._bases)
            problem = loading.exception()
        if isinstance(problem, BiobertError):
            raise problem
        if problem is not None:
            # A library's own words name places of its source: they are for the log.
            words = " ".join(str(problem).split())[:300]
            log(
                "damaged",
                level=logging.ERROR,
                model=settings.name,
                folder=settings.folder,
                exception=type(problem).__name__,
                reason=words,
            )
            raise BadInputError(
                f"model {settings.name!r}: {settings.folder} is damaged, as the log says in full; "
                "copy it again"
            ) from problem
        return loading.result()


def check_models(settings: Sequence[ServedModel]) -> None:
    """An error for a folder that is no model, as far as can be seen without loading it."""
    for one in settings:
        if _use(one) == "documents":
            read_manifest(model_folder(one.folder))


def task_named(name: str) -> Wanted:
    """Whether a task is of this name."""
    return lambda task: task.name == name


def trained_for(wanted: Wanted) -> Callable[[Served], bool]:
    """Whether a model was trained for what is wanted, alone or beside other tasks."""
    return lambda served: any(map(wanted, served.tasks))


def first_alone(served: Served, wanted: Wanted) -> Wanted:
    """The first task of a model that is wanted, where two answers would contradict each other."""
    first = next(filter(wanted, served.tasks))
    return lambda task: task is first


def reads_texts(task: Task) -> bool:
    """Whether a task reads a text as it is: neither a pair nor a question with its context."""
    return task.name != QUESTIONS and len(task.passages) < 2


def labels_documents(task: Task) -> bool:
    """Whether a task gives labels to what it reads, as a whole."""
    return isinstance(task, Classification | Cloze)


def _loaded(settings: ServedModel, runtime: RuntimeSettings, bases: dict[str, Any]) -> Served:
    use = _use(settings)
    model: LoadedModel | Embedder | GapFiller
    tasks: Sequence[Task] = ()
    if use == "embed":
        model = Embedder(settings.folder, settings=runtime)
        folder = model.folder
    elif use == "fill-mask":
        model = GapFiller(settings.folder, settings=runtime)
        folder = model.folder
    else:
        folder = model_folder(settings.folder)
        model = load_model(folder, runtime, bases=bases)
        tasks = tasks_in(model.task)
    served = Served(_identity(settings.name, use, folder, tasks), use, model)
    served.warm()
    return served


def _use(settings: ServedModel) -> Use:
    if settings.use != "task":
        return settings.use
    folder = model_folder(settings.folder)
    if not (folder / MANIFEST).is_file():
        raise BadInputError(
            f"model {settings.name!r}: {settings.folder} has no {MANIFEST}; if it is an encoder "
            "from the hub, set use = 'embed' or use = 'fill-mask' under its [[models]]"
        )
    task = read_manifest(folder).task
    uses: dict[str, Use] = {Embedding.name: "embed", Pretraining.name: "fill-mask"}
    return uses.get(task, "documents")


def _identity(name: str, use: Use, folder: Path, tasks: Sequence[Task]) -> Identity:
    digest = _digest(folder)
    if not (folder / MANIFEST).is_file():
        return Identity(name, use, "", digest)
    manifest = read_manifest(folder)
    labels: dict[str, tuple[str, ...]] = {}
    for task in tasks:
        labels[task.name] = (*labels.get(task.name, ()), *task.settings().get("labels", ()))
    return Identity(name, manifest.task, manifest.version, digest, labels)


def _digest(folder: Path) -> str:
    """What tells the files of a model from others: 16 digits of a SHA-256 over all of them."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    rows = [f"{file.relative_to(folder)} {sha256_of(file)}" for file in files]
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def _predict_row(model: LoadedModel) -> None:
    """One row of the encoder, whatever the task; an error where the outputs are no numbers."""
    (pieces,) = model.tokenizer.pieces([PROBE])
    borders = model.tokenizer.special("cls"), model.tokenizer.special("sep")
    ids = np.array([borders[0], *pieces.ids, borders[1]], dtype=np.int64)
    nowhere = np.full((1, 2), -1, dtype=np.int64)
    row = Window(
        token_ids=ids,
        segment_ids=np.zeros_like(ids),
        offsets=np.concatenate([nowhere, pieces.offsets, nowhere]),
        words=np.concatenate([[-1], pieces.words, [-1]]).astype(np.int64),
        owned=slice(1, len(ids) - 1),
        marks=np.ones(max(head.marks for head in model.task.heads()), dtype=np.int64),
    )
    (output,) = model.predictor.predict([row])
    for name, values in output.items():
        if not np.isfinite(values).all():
            raise BadInputError(f"model {model.manifest.name!r}: its {name!r} are no numbers")


class Announcements:
    """How the workers of a service tell each other that a model was reloaded: a file of numbers.

    A worker that is told loads the folder too; one that starts anew loads it anyway.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder
        self._seen = {name: self._size(name) for name in names}

    def announce(self, name: str) -> None:
        """Tell the others; this worker knows."""
        with self._file(name).open("ab") as stream:
            stream.write(b".")
        self._seen[name] += 1

    def news(self) -> list[str]:
        """The models that others have reloaded since this was asked last."""
        found = []
        for name, seen in self._seen.items():
            size = self._size(name)
            # Less where the file was cleared away: whatever was said since is news.
            if size != seen:
                self._seen[name] = size
                found.append(name)
        return found

    def _file(self, name: str) -> Path:
        return self._folder / f"reloaded-{hashlib.sha256(name.encode()).hexdigest()[:16]}"

    def _size(self, name: str) -> int:
        try:
            return self._file(name).stat().st_size
        except FileNotFoundError:
            return 0
