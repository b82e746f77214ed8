"""Writing the model folder that a run leaves behind, whole or not at all."""

import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from biobert.core.errors import BadInputError
from biobert.core.model_folder import (
    CARD,
    CONFIG,
    MANIFEST,
    ModelManifest,
    move_model,
    placed_folder,
    unfinished_folder,
)
from biobert.model.tensors import write_tensors
from biobert.model.weights import save_network
from biobert.training.card import model_card
from biobert.training.sources import Learner

REPORTED_PACKAGES = (
    "biobert",
    "torch",
    "accelerate",
    "transformers",
    "peft",
    "tokenizers",
    "numpy",
)
KEPT_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What is worth remembering of a finished run. `data` says what a source is, with checksum,
    `learnt_before` what the models behind it learnt from."""

    recipe: Mapping[str, Any]
    data: Mapping[str, Any]
    metrics: Mapping[str, Any]
    learnt_before: tuple[Mapping[str, Any], ...] | None = None


def check_no_model(output: Path) -> None:
    """An error where a folder that a run is to begin in holds a model.

    What the run does not write, such as an exported graph, would be loaded in its model's stead.
    """
    if any((output / name).is_file() for name in (MANIFEST, CONFIG)):
        raise BadInputError(
            f"{output} holds a model, and no run that could go on; choose another --output, or "
            "remove that folder"
        )


def write_model_folder(output: Path, learner: Learner, report: TrainingReport) -> ModelManifest:
    """Write weights, tokenizer, manifest, card and recipe into `output`, which may hold its run."""
    manifest = ModelManifest(
        name=str(report.recipe["name"]),
        task=learner.task.name,
        task_settings=learner.task.settings(),
        recipe=report.recipe,
        data=report.data,
        metrics=report.metrics,
        versions=package_versions(),
        learnt_before=report.learnt_before,
    )
    with unfinished_folder(output / "model") as folder:
        save_network(learner.network, folder)
        learner.tokenizer.save(folder)
        (folder / CARD).write_text(model_card(manifest), encoding="utf-8")
        manifest.write(folder)
        move_model(folder, output)
    return manifest


def write_changed_folder(
    output: Path,
    model: Path,
    tensors: Mapping[str, Mapping[str, torch.Tensor]],
    manifest: ModelManifest,
) -> None:
    """Write `output`: the model with other weights under another manifest, whole or not at all.

    `tensors` are those of each file of weights.
    """
    with placed_folder(output) as folder:
        for name, some in tensors.items():
            write_tensors(some, folder / name)
        for file in KEPT_FILES:
            shutil.copyfile(model / file, folder / file)
        (folder / CARD).write_text(model_card(manifest), encoding="utf-8")
        manifest.write(folder)


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a result."""
    versions = {"python": platform.python_version()}
    for package in REPORTED_PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
