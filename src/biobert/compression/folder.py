"""A trained model folder as a light one: exported model, tokenizer, manifest and card."""

import shutil
from dataclasses import replace
from pathlib import Path

from biobert.compression.card import UNMEASURED, write_card
from biobert.compression.export import ExportReport, export_onnx
from biobert.compression.quantize import quantize_weights
from biobert.core.model_folder import (
    CARD,
    CONFIG,
    EXPORTED_MODEL,
    MANIFEST,
    check_replaceable,
    put_in_place,
    read_manifest,
    unfinished_folder,
)
from biobert.core.shelf import unknown_name
from biobert.model.hub import load_trained_network
from biobert.tasks import build_task

WEIGHTS = ("float32", "int8")
COPIED = ("tokenizer.json", "tokenizer_config.json", CONFIG, MANIFEST, CARD)


def export_folder(model: Path, output: Path, *, weights: str) -> ExportReport:
    """Write `output`, complete or not at all; `weights` is `float32` or `int8`."""
    if weights not in WEIGHTS:
        raise unknown_name("kind of weights", weights, WEIGHTS)
    check_replaceable(output, model)
    manifest = read_manifest(model)
    task = build_task(manifest.task, manifest.task_settings)
    network = load_trained_network(model, task.heads())
    with unfinished_folder(output) as folder:
        report = export_onnx(network, folder, task.inputs())
        for name in COPIED:
            if (model / name).is_file():
                shutil.copyfile(model / name, folder / name)
        if weights == "int8":
            _round(folder, model)
        put_in_place(folder, output)
    path = output / EXPORTED_MODEL
    return replace(report, path=path, bytes=path.stat().st_size)


def _round(folder: Path, model: Path) -> None:
    """Weights in eight bits; the figures of the original `model` are not those of this one."""
    rounded = folder / "rounded.onnx"
    quantize_weights(folder / EXPORTED_MODEL, rounded)
    rounded.replace(folder / EXPORTED_MODEL)
    said = {"export": {"weights": "int8"}}
    replace(read_manifest(model), metrics={}, compression=said).write(folder)
    write_card(folder, model, UNMEASURED)
