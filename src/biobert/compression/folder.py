"""A trained model folder as a light one: exported model, tokenizer, manifest and card."""

import shutil
from dataclasses import replace
from pathlib import Path

from biobert.compression.export import ExportReport, export_onnx
from biobert.compression.export_text import export_decoder
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
from biobert.core.task import Task, Window
from biobert.model.generation import load_encoder_decoder
from biobert.model.hub import load_trained_network
from biobert.tasks import build_task
from biobert.text.tokenizer import Tokenizer

TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


def export_folder(model: Path, output: Path) -> ExportReport:
    """Write `output`, complete or not at all, with weights in float32: smaller ones are a step of
    pipeline/compressing.py, which measures what they cost."""
    check_replaceable(output, model)
    with unfinished_folder(output) as folder:
        report = export_graphs(model, folder)
        copy_files(model, folder, (*TOKENIZER, CONFIG, MANIFEST, CARD))
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
