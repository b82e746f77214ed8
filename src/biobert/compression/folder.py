"""A trained model folder as a light one: exported model, tokenizer, manifest and card."""

import shutil
from dataclasses import replace
from pathlib import Path

from biobert.compression.card import UNMEASURED, write_card
from biobert.compression.export import ExportReport, export_onnx
from biobert.compression.export_text import export_decoder
from biobert.compression.quantize import quantize_weights
from biobert.compression.workbench import has_weights
from biobert.core.errors import BadInputError
from biobert.core.model_folder import (
    CARD,
    CONFIG,
    EXPORTED_MODEL,
    MANIFEST,
    check_replaceable,
    exported_graphs,
    put_in_place,
    read_manifest,
    unfinished_folder,
)
from biobert.core.shelf import unknown_name
from biobert.core.task import Task, Window
from biobert.model.generation import load_encoder_decoder
from biobert.model.hub import load_trained_network
from biobert.tasks import build_task
from biobert.text.tokenizer import Tokenizer

WEIGHTS = ("float32", "int8")
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


def export_folder(model: Path, output: Path, *, weights: str) -> ExportReport:
    """Write `output`, complete or not at all; `weights` is `float32` or `int8`."""
    if weights not in WEIGHTS:
        raise unknown_name("kind of weights", weights, WEIGHTS)
    check_replaceable(output, model)
    with unfinished_folder(output) as folder:
        report = export_graphs(model, folder)
        copy_files(model, folder, (*TOKENIZER, CONFIG, MANIFEST, CARD))
        if weights == "int8":
            _round(folder, model)
        put_in_place(folder, output)
    return placed_report(report, output)


def export_graphs(model: Path, folder: Path) -> ExportReport:
    """Write the graph of a trained model folder, or the two of one that writes texts."""
    manifest = read_manifest(model)
    if manifest.members:
        raise BadInputError(f"{model} is an ensemble: export its members one by one")
    if not has_weights(model):
        raise BadInputError(f"{model} has no weights to export; name the folder it was made of")
    task = build_task(manifest.task, manifest.task_settings)
    if not any(head.kind == "text" for head in task.heads()):
        return export_onnx(load_trained_network(model, task.heads()), folder, task.inputs())
    copy_files(model, folder, (CONFIG,))
    return export_decoder(load_encoder_decoder(model), folder, _real_windows(model, task))


def copy_files(model: Path, folder: Path, names: tuple[str, ...]) -> None:
    """Copy those of the files that are there."""
    for name in names:
        if (model / name).is_file():
            shutil.copyfile(model / name, folder / name)


def placed_report(report: ExportReport, output: Path) -> ExportReport:
    """The report on graphs that have come to `output`, as large as they are now."""
    size = sum(graph.stat().st_size for graph in exported_graphs(output))
    return replace(report, path=output / EXPORTED_MODEL, bytes=size)


def _real_windows(model: Path, task: Task) -> list[Window]:
    examples = [one for document in task.toy_documents() for one in task.examples(document)]
    encoded = task.encode(examples, Tokenizer.from_folder(model))
    return [window for windows in encoded for window in windows]


def _round(folder: Path, model: Path) -> None:
    """Weights in eight bits; the figures of the original `model` are not those of this one."""
    for graph in exported_graphs(folder):
        rounded = graph.with_name("rounded.onnx")
        quantize_weights(graph, rounded)
        rounded.replace(graph)
    said = {"export": {"weights": "int8"}}
    replace(read_manifest(model), metrics={}, compression=said).write(folder)
    write_card(folder, model, UNMEASURED)
