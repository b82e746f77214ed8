"""From a recipe to a model folder: the table of contents of training."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from biobert.core.errors import BadInputError
from biobert.core.files import read_json, write_text
from biobert.core.model_folder import ModelManifest
from biobert.training.checkpoint import Progress, checkpoints
from biobert.training.curves import plot_curves
from biobert.training.folder import TrainingReport, check_no_model, write_model_folder
from biobert.training.loop import Listener, TrainingLoop
from biobert.training.material import Material, RunPlaces, read_material
from biobert.training.origins import learnt_before
from biobert.training.parallel import gathered
from biobert.training.pretraining import note_dense_mask
from biobert.training.recipe import Recipe
from biobert.training.self_training import self_train
from biobert.training.sources import Learner
from biobert.training.start import build_learner

DATA = "data.json"


def train(recipe: Recipe, places: RunPlaces, *, listener: Listener, resume: bool) -> ModelManifest:
    """Run a recipe to its end and write the model folder; `resume` goes on where it stopped."""
    if recipe.self_training is not None:
        return self_train(recipe, places, train, listener=listener, resume=resume)
    _check_output(places.output, resume=resume)
    torch.manual_seed(recipe.run.seed)
    learner = build_learner(recipe, listener.noted)
    before = learnt_before(recipe)
    material = read_material(recipe, places, learner, listener.noted)
    _check_data(material, places.output / "checkpoints")
    report = TrainingReport(
        recipe=recipe.resolved(), data=material.described, metrics={}, learnt_before=before
    )
    loop = TrainingLoop(
        recipe,
        learner,
        material.source,
        examiner=material.examiner,
        output=places.output,
        listener=listener,
        keep=lambda place, network: write_model_folder(
            place, Learner(learner.task, learner.tokenizer, network), report
        ),
    )
    if recipe.batches.layout == "packed":
        device = loop.accelerator.device
        note_dense_mask(learner.network, device, recipe.run.precision, listener.noted)
    progress = loop.run(resume=resume)
    network, task = gathered(learner.network), learner.task
    loop.close()
    if not loop.accelerator.is_main_process:
        return ModelManifest(recipe.name, task.name, task.settings())
    if material.examiner is not None:
        device = loop.accelerator.device  # of shards the whole copy lies on the CPU
        task = material.examiner.tuned(network.to(device), device)
    trained = Learner(task, learner.tokenizer, network)
    plot_curves(progress.history, places.output)
    return write_model_folder(places.output, trained, replace(report, metrics=_metrics(progress)))


def _check_output(output: Path, *, resume: bool) -> None:
    begun = bool(checkpoints(output / "checkpoints"))
    if begun and not resume:
        raise BadInputError(
            f"{output} holds checkpoints of an earlier run; add --resume to go on with it, "
            "or choose another --output"
        )
    if not begun:
        check_no_model(output)
    output.mkdir(parents=True, exist_ok=True)


def _check_data(material: Material, folder: Path) -> None:
    """A run that goes on from a checkpoint must read what it has read so far."""
    read = {f"devel {name}": what for name, what in material.scored_on.items()}
    read |= material.described
    path = folder / DATA
    before = read_json(path, missing="") if checkpoints(folder) and path.is_file() else {}
    changed = sorted(name for name, what in read.items() if before.get(name, what) != what)
    if changed:
        raise BadInputError(
            f"{folder}: since the run began there is other data in {', '.join(changed)}; "
            "bring the old one back, or train into another --output"
        )
    with write_text(path) as stream:
        json.dump(read, stream, indent=2)


def _metrics(progress: Progress) -> dict[str, Any]:
    if progress.best_score is None:
        return {}
    best = next(row for row in progress.history if row.get("score") == progress.best_score)
    return {"devel": progress.best_score, "best_step": best["step"], **best["scores"]}
