"""Several models beside each other: size, load time, memory, speed, and what they score.

Each runs in a process of its own, so that its memory is its own; they take turns, so that a busy
machine slows down all of them alike.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

from biobert.core.document import Document
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import write_text
from biobert.core.model_folder import read_manifest
from biobert.core.settings import from_mapping
from biobert.core.task import Task
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.evaluation.overlap import Shared
from biobert.evaluation.plots import SpeedPoint, plot_speed
from biobert.pipeline.evaluating import TestSet, read_gold, scored_labels
from biobert.pipeline.load import model_folder
from biobert.pipeline.speed.measures import folder_bytes, latency_of, speed_texts, speed_unit
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks import build_task
from biobert.tasks.multitask import part_of_task

BATCHES = (1, 8, 32)
WORKER = "biobert.pipeline.speed.worker"


@dataclass(frozen=True, slots=True)
class SpeedSettings:
    """How many `texts` are answered in each of the `turns`, of which the medians are told."""

    texts: int = 200
    turns: int = 3


@dataclass(frozen=True, slots=True)
class Variant:
    """One model: `texts_per_second` by how many texts it was handed at once; latencies are of one
    text alone. The score (0 to 1) is the main one of its task, and `shared` what of the corpus the
    model has learnt from, None without a corpus. `name` is as much of `model` as tells it from the
    others."""

    model: str
    name: str
    engine: str
    bytes: int
    load_seconds: float
    peak_memory_bytes: int
    texts_per_second: Mapping[int, float]
    p50_ms: float
    p99_ms: float
    score: float | None
    measure: str | None
    shared: Shared | None = None


@dataclass(frozen=True, slots=True)
class SpeedComparison:
    """All variants in the order they were named, and what they answered."""

    variants: tuple[Variant, ...]
    texts: int
    unit: str
    corpus: str | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def compare_speed(
    models: Sequence[str],
    test_set: TestSet | None,
    places: CorpusPlaces,
    *,
    speed: SpeedSettings,
    settings: RuntimeSettings,
) -> SpeedComparison:
    """Measure models of one task on texts of a corpus; without one on its task's toy documents."""
    folders = [model_folder(model) for model in models]
    tasks = _tasks(models, folders)
    documents = _documents(tasks, test_set, places)
    texts = speed_texts(tasks[0], documents, speed.texts)
    if not texts:
        raise BadInputError("there is no text to answer: the corpus is empty")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_documents(texts, folder / "texts.jsonl", "jsonl")
        workers = [
            stack.enter_context(_Process(one, folder / "texts.jsonl", settings)) for one in folders
        ]
        seconds = _taking_turns(workers, speed.turns)
        memory = [one.ask(memory=True)["bytes"] for one in workers]
        scored = [_score(one, test_set, places) for one in workers]
    names = short_names(models)
    variants = [
        Variant(
            model=models[number],
            name=names[number],
            engine=worker.loaded["engine"],
            bytes=folder_bytes(folders[number]),
            load_seconds=worker.loaded["seconds"],
            peak_memory_bytes=memory[number],
            **_speeds(seconds[number], len(texts)),
            **scored[number],
        )
        for number, worker in enumerate(workers)
    ]
    corpus = None if test_set is None else f"{test_set.corpus} {test_set.split}"
    return SpeedComparison(tuple(variants), len(texts), speed_unit(tasks[0]), corpus)


def write_comparison(comparison: SpeedComparison, folder: Path) -> None:
    """Write `speed.json`, and `speed.png` where there are scores to draw against speed."""
    with write_text(folder / "speed.json") as stream:
        json.dump(comparison.to_json(), stream, indent=2)
    points = [
        SpeedPoint(one.name, one.texts_per_second[max(BATCHES)], one.score)
        for one in comparison.variants
        if one.score is not None
    ]
    if points:
        plot_speed(points, folder / "speed.png", unit=comparison.unit)


class _Process:
    """A model at work in a process of its own."""

    def __init__(self, model: Path, texts: Path, settings: RuntimeSettings) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._model = model
        self._job = {"load": str(model), "settings": asdict(settings), "texts": str(texts)}
        self.loaded: dict[str, Any] = {}

    def __enter__(self) -> "_Process":
        try:
            self.loaded = self.ask(**self._job)
        except BiobertError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *problem: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def ask(self, **wanted: Any) -> dict[str, Any]:
        """The answer to one line; what went wrong over there is an error here."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(wanted, default=str) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BiobertError(f"{self._model}: its process ended without an answer")
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise BadInputError(f"{self._model}: {said['error']}")
        return said


def short_names(models: Sequence[str]) -> list[str]:
    """The end of each path, as long as it takes to tell them all apart."""
    parts = [Path(model).parts for model in models]
    endings = ([str(Path(*some[-length:])) for some in parts] for length in count(1))
    return next(names for names in endings if len(set(names)) == len(set(parts)))


def _tasks(models: Sequence[str], folders: Sequence[Path]) -> list[Task]:
    """The task of each model, with its own settings; an error unless they are of one kind."""
    manifests = [read_manifest(folder) for folder in folders]
    names = [one.task for one in manifests]
    if len(set(names)) != 1:
        told = ", ".join(f"{model} is {name}" for model, name in zip(models, names, strict=True))
        raise BadInputError(f"only models of one task compare: {told}")
    return [build_task(one.task, one.task_settings) for one in manifests]


def _documents(
    tasks: Sequence[Task], test_set: TestSet | None, places: CorpusPlaces
) -> Sequence[Document]:
    """What is answered: toy documents, or gold that every task can be scored on."""
    if test_set is None:
        return tasks[0].toy_documents()
    gold = read_gold(test_set, test_set.split, places)
    for task in tasks:
        scored_labels(part_of_task(task, test_set.part), gold, None)
    return gold


def _taking_turns(workers: Sequence[_Process], turns: int) -> list[dict[int, list[list[float]]]]:
    """For each worker and batch the seconds of every call, turn by turn."""
    seconds: list[dict[int, list[list[float]]]] = [{one: [] for one in BATCHES} for _ in workers]
    for turn in range(turns + 1):
        for batch in BATCHES:
            for number, worker in enumerate(workers):
                found = worker.ask(turn=batch)["seconds"]
                if turn:  # The first turn warms up.
                    seconds[number][batch].append(found)
    return seconds


def _speeds(seconds: Mapping[int, Sequence[Sequence[float]]], texts: int) -> dict[str, Any]:
    latency = latency_of([one for turn in seconds[1] for one in turn])
    return {
        "texts_per_second": {
            batch: texts / statistics.median(sum(turn) for turn in turns)
            for batch, turns in seconds.items()
        },
        **asdict(latency),
    }


def _score(worker: _Process, test_set: TestSet | None, places: CorpusPlaces) -> dict[str, Any]:
    if test_set is None:
        return {"score": None, "measure": None}
    said = worker.ask(score=asdict(test_set), places=asdict(places))
    return {**said, "shared": from_mapping(Shared, said["shared"], place="shared")}
