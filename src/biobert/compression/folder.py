"""A trained model folder as a light one: exported model, tokenizer, manifest and card."""

import shutil
from dataclasses import replace
from pathlib import Path

from biobert.compression.export import ExportReport, export_onnx
from biobert.compression.quantize import quantize_weights
from biobert.core.errors import BadInputError
from biobert.core.model_folder import EXPORTED_MODEL, MANIFEST, read_manifest
from biobert.core.shelf import unknown_name
from biobert.model.hub import load_trained_network
from biobert.tasks import build_task

WEIGHTS = ("float32", "int8")
COPIED = ("tokenizer.json", "tokenizer_config.json", MANIFEST, "README.md")


def export_folder(model: Path, output: Path, *, weights: str) -> ExportReport:
    """Write `output`, complete or not at all; `weights` is `float32` or `int8`."""
    if weights not in WEIGHTS:
        raise unknown_name("kind of weights", weights, WEIGHTS)
    if output.resolve() == model.resolve():
        raise BadInputError(f"{output}: export into another folder than the model's own")
    manifest = read_manifest(model)
    task = build_task(manifest.task, manifest.task_settings)
    network = load_trained_network(model, task.heads())
    unfinished = output.with_name(f".{output.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    report = export_onnx(network, unfinished, task.inputs())
    path = unfinished / EXPORTED_MODEL
    if weights == "int8":
        rounded = unfinished / "rounded.onnx"
        quantize_weights(path, rounded)
        rounded.replace(path)
    for name in COPIED:
        if (model / name).is_file():
            shutil.copyfile(model / name, unfinished / name)
    size = path.stat().st_size
    shutil.rmtree(output, ignore_errors=True)
    unfinished.rename(output)
    return replace(report, path=output / EXPORTED_MODEL, bytes=size)
