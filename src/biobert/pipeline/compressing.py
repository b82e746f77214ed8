"""A smaller model, weighed beside the original: it is written only if it is as good."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from biobert.compression.card import compression_section, write_card
from biobert.compression.folder import export_folder
from biobert.compression.recipe import CompressionRecipe
from biobert.compression.running import DoneStep, check_steps, run_steps
from biobert.compression.workbench import Workbench, has_weights
from biobert.core.document import Document
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.model_folder import (
    check_replaceable,
    put_in_place,
    read_manifest,
    unfinished_folder,
)
from biobert.core.task import Task
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.evaluation.overlap import Shared, Training
from biobert.pipeline.evaluating import scored, scored_labels
from biobert.pipeline.learnt_from import learnt_from
from biobert.pipeline.load import load_model, model_folder
from biobert.pipeline.speed.measures import (
    engine_of,
    folder_bytes,
    latency_of,
    machine_name,
    seconds_by_call,
    speed_texts,
)
from biobert.tasks import build_task
from biobert.tasks.multitask import part_of_task
from biobert.training.corpora import note_set_aside, read_sources, source_name
from biobert.training.loop import Listener

SPEED_TEXTS = 100
WRITTEN_TEXTS = 32
"""A text that is written takes as long as a hundred that are read."""
BATCH = 32
TURNS = 3


class GateError(BiobertError):
    """The smaller model answers too badly to be written."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Gold that both models are scored on, and the part of a multitask that answers it."""

    gold: Sequence[Document]
    part: str | None


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a model scores on each gate (0 to 1), how fast it is and how large.

    `shared` is what of each gate the original has learnt from, and the model's score without that.
    `p50_ms` is the median time of one text, `texts_per_second` with 32 handed over at once, both
    from text to answers, on the `engine` that the folder runs on by default.
    """

    scores: Mapping[str, float]
    shared: Mapping[str, Shared]
    p50_ms: float
    texts_per_second: float
    bytes: int
    engine: str


@dataclass(frozen=True, slots=True)
class CompressionReport:
    """Both models beside each other, and what was done.

    Where only the compressed one is exported, `exported` is the original in the same form with all
    its weights: what it is faster by owes nothing to the steps.
    """

    original: Weighed
    exported: Weighed | None
    compressed: Weighed
    steps: Sequence[DoneStep]
    max_loss: float

    def losses(self) -> dict[str, float]:
        """How many points the smaller model loses on each gate; below zero it gains."""
        return {
            name: 100.0 * (score - self.compressed.scores[name])
            for name, score in self.original.scores.items()
        }

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"losses": self.losses()}


def compress(
    model: str,
    recipe: CompressionRecipe,
    places: CorpusPlaces,
    output: Path,
    *,
    listener: Listener,
    max_loss: float,
) -> CompressionReport:
    """Write the compressed model folder, or nothing: `max_loss` is in points of the main score.

    Its manifest and card say what it scores and how fast it is beside the original.
    """
    if math.isnan(max_loss):
        raise BadInputError("--max-loss nan: write points of the score, such as 0.3", code="usage")
    source = model_folder(model)
    check_replaceable(output, source)
    check_steps(recipe.steps, source)
    manifest = read_manifest(source)
    task = build_task(manifest.task, manifest.task_settings)
    gates = _gates(recipe, task, places, listener)
    with unfinished_folder(output) as scratch:
        bench = Workbench(source, recipe.corpora, places, listener, recipe.seed)
        folder, steps = run_steps(recipe.steps, bench, scratch)
        whole = _exported(source, folder, scratch)
        listener.noted("the gate: original and smaller model answer the same texts")
        training = learnt_from(manifest, places=places)
        original, *between, compressed = _weigh((source, *whole, folder), gates, training)
        exported = between[0] if between else None
        report = CompressionReport(original, exported, compressed, steps, max_loss)
        _check_losses(report)
        _sign(folder, source, recipe, report)
        put_in_place(folder, output)
    return report


def _gates(
    recipe: CompressionRecipe, task: Task, places: CorpusPlaces, listener: Listener
) -> dict[str, Gate]:
    """Each gate by its name; the task, or its part, can be scored on it."""
    rejects = Rejects()
    found = read_sources(recipe.gate, places, rejects=rejects)
    note_set_aside(rejects, listener.noted)
    empty = [name for name, some in found.items() if not some]
    if empty:
        raise BadInputError(f"[[gate]] {', '.join(empty)}: no documents to score on")
    parts = {source_name(source): source.part for source in recipe.gate}
    for name, gold in found.items():
        scored_labels(part_of_task(task, parts[name]), gold, None)
    return {name: Gate(gold, parts[name]) for name, gold in found.items()}


def _exported(source: Path, compressed: Path, scratch: Path) -> list[Path]:
    """The original in the form of the compressed one, if only that is exported."""
    if has_weights(compressed) or not has_weights(source):
        return []
    export_folder(source, scratch / "whole")
    return [scratch / "whole"]


def _weigh(folders: Sequence[Path], gates: Mapping[str, Gate], training: Training) -> list[Weighed]:
    """All models; they take turns, so that a busy machine slows down all of them alike."""
    models = [load_model(folder) for folder in folders]
    documents = [document for gate in gates.values() for document in gate.gold]
    task = models[0].task
    writes = any(head.kind == "text" for head in task.heads())
    texts = speed_texts(task, documents, WRITTEN_TEXTS if writes else SPEED_TEXTS)
    alone: list[list[float]] = [[] for _ in models]
    together: list[list[float]] = [[] for _ in models]
    for turn in range(TURNS + 1):
        for number, model in enumerate(models):
            one, many = (seconds_by_call(model, texts, batch) for batch in (1, BATCH))
            if turn:  # The first turn warms up.
                alone[number] += one
                together[number].append(sum(many))
    found = [
        {name: scored(model.part(one.part), one.gold, training) for name, one in gates.items()}
        for model in models
    ]
    return [
        Weighed(
            scores={name: one.main for name, one in found[number].items()},
            shared={name: one.shared for name, one in found[number].items()},
            p50_ms=latency_of(alone[number]).p50_ms,
            texts_per_second=len(texts) / sorted(together[number])[TURNS // 2],
            bytes=folder_bytes(folders[number]),
            engine=engine_of(model),
        )
        for number, model in enumerate(models)
    ]


def _check_losses(report: CompressionReport) -> None:
    for name, loss in report.losses().items():
        # Of a NaN nobody can say that it is little.
        if not loss <= report.max_loss:
            before, after = (one.scores[name] for one in (report.original, report.compressed))
            raise GateError(
                f"refused: {name} falls from {100 * before:.2f} to {100 * after:.2f}, by "
                f"{loss:.2f} points and more than --max-loss {report.max_loss:g}; nothing was "
                "written: take a milder recipe, or raise --max-loss",
                code="refused",
            )


def _sign(folder: Path, source: Path, recipe: CompressionRecipe, report: CompressionReport) -> None:
    """Put into manifest and card what was done and what it cost."""
    said = {
        "recipe": recipe.resolved(),
        "machine": machine_name(),
        **report.to_json(),
    }
    metrics = dict(report.compressed.scores)
    replace(read_manifest(source), metrics=metrics, compression=said).write(folder)
    write_card(folder, source, compression_section(said))
