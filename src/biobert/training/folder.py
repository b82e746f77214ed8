"""Writing the model folder that a run leaves behind, whole or not at all."""

import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from biobert.core.model_folder import WEIGHTS, ModelManifest
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


def write_model_folder(output: Path, learner: Learner, report: TrainingReport) -> ModelManifest:
    """Write weights, tokenizer, manifest, card and recipe into `output`.

    Files are written in a hidden folder beside their place and renamed one by one, the manifest
    last: a folder with a manifest is complete.
    """
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
    unfinished = output / ".model.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    save_network(learner.network, unfinished)
    learner.tokenizer.save(unfinished)
    (unfinished / "README.md").write_text(model_card(manifest), encoding="utf-8")
    manifest.write(unfinished)
    for path in sorted(unfinished.iterdir(), key=lambda path: path.name == "biobert.json"):
        os.replace(path, output / path.name)
    unfinished.rmdir()
    return manifest


def write_changed_folder(
    output: Path, model: Path, tensors: Mapping[str, torch.Tensor], manifest: ModelManifest
) -> None:
    """Write `output`: the model with other weights under another manifest, whole or not at all."""
    unfinished = output.with_name(f".{output.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    write_tensors(tensors, unfinished / WEIGHTS)
    for file in KEPT_FILES:
        shutil.copyfile(model / file, unfinished / file)
    (unfinished / "README.md").write_text(model_card(manifest), encoding="utf-8")
    manifest.write(unfinished)
    os.replace(unfinished, output)


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a result."""
    versions = {"python": platform.python_version()}
    for package in REPORTED_PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
