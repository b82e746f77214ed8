"""From a recipe to a model folder: the table of contents of training."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.model_folder import ModelManifest
from biobert.model.hub import find_encoder_folder, load_encoder
from biobert.model.network import Network
from biobert.tasks import build_task
from biobert.text.tokenizer import Tokenizer
from biobert.training.batches import encode_rows
from biobert.training.checkpoint import checkpoints
from biobert.training.corpora import read_sources
from biobert.training.curves import plot_curves
from biobert.training.folder import TrainingReport, write_model_folder
from biobert.training.loop import DevelSet, Learner, Listener, TrainingLoop
from biobert.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Places:
    """Where corpora are looked for and kept, and where the model goes."""

    output: Path
    cache: Path
    data_root: Path | None = None


def train(recipe: Recipe, places: Places, *, listener: Listener, resume: bool) -> ModelManifest:
    """Run a recipe to its end and write the model folder; `resume` goes on where it stopped."""
    _check_output(places.output, resume=resume)
    torch.manual_seed(recipe.run.seed)
    learner = build_learner(recipe)
    train_documents = _read(recipe.data.train, places)
    devel = [DevelSet(name, found) for name, found in _read(recipe.data.devel, places).items()]
    everything = [
        document
        for source, found in zip(recipe.data.train, train_documents.values(), strict=True)
        for document in found * source.times
    ]
    rows = encode_rows(learner.task, everything, learner.tokenizer)
    _check_lengths(learner, max((len(row.window) for row in rows), default=0))
    loop = TrainingLoop(recipe, learner, rows, devel=devel, output=places.output, listener=listener)
    progress = loop.run(resume=resume)
    if not loop.accelerator.is_main_process:
        return ModelManifest(recipe.name, learner.task.name, learner.task.settings())
    report = TrainingReport(
        recipe=recipe.resolved(),
        data={name: _describe(found) for name, found in train_documents.items()},
        metrics=_metrics(progress.history, progress.best_score, progress.best_epoch),
    )
    _write_history(progress.history, places.output)
    return write_model_folder(places.output, learner, report)


def build_learner(recipe: Recipe) -> Learner:
    """The task, tokenizer and network that a recipe starts from."""
    settings = {key: value for key, value in recipe.task.items() if key != "name"}
    task = build_task(recipe.task["name"], settings)
    folder = find_encoder_folder(recipe.model.encoder)
    encoder = load_encoder(folder)
    network = Network(encoder, task.heads(), dropout=recipe.model.dropout)
    return Learner(task, Tokenizer.from_folder(folder), network)


def _read(sources: Sequence[Any], places: Places) -> dict[str, list[Document]]:
    return read_sources(sources, data_root=places.data_root, cache=places.cache)


def _check_output(output: Path, *, resume: bool) -> None:
    if not resume and checkpoints(output / "checkpoints"):
        raise BadInputError(
            f"{output} holds checkpoints of an earlier run; add --resume to go on with it, "
            "or choose another --output"
        )
    output.mkdir(parents=True, exist_ok=True)


def _check_lengths(learner: Learner, longest: int) -> None:
    positions = learner.network.maximum_positions
    if longest > positions:
        raise BadInputError(
            f"rows have up to {longest} tokens but the encoder knows {positions} positions; "
            f"set task.windows.maximum_tokens to {positions} or less"
        )


def _describe(documents: Sequence[Document]) -> str:
    entities = sum(len(document.entities) for document in documents)
    sentences = sum(len(document.sentences) for document in documents)
    return f"{len(documents)} documents, {sentences} sentences, {entities} entities"


def _metrics(
    history: Sequence[dict[str, Any]], best_score: float | None, best_epoch: int | None
) -> dict[str, Any]:
    if best_score is None:
        return {}
    best = next(row for row in history if row.get("score") == best_score)
    return {"devel": best_score, "best_epoch": best_epoch, **best["scores"]}


def _write_history(history: Sequence[dict[str, Any]], output: Path) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in history)
    (output / "history.jsonl").write_text(lines, encoding="utf-8")
    plot_curves(history, output / "curves.png")
