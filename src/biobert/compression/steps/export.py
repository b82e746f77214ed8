"""Write the model as a graph for OpenVINO and ONNX Runtime, with smaller weights if wanted.

A folder without weights, such as the embedded model, gives the graph it has: smaller weights are
made floats again first.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from biobert.compression.calibrate import Calibration, need_packages, quantize_statically
from biobert.compression.folder import export_graphs
from biobert.compression.halve import halve_weights
from biobert.compression.openvino import convert_to_openvino
from biobert.compression.quantize import quantize_weights, restore_floats
from biobert.compression.workbench import Workbench, has_weights
from biobert.core.errors import BadInputError
from biobert.core.model_folder import (
    CONFIG,
    EXPORTED_MODEL,
    MANIFEST,
    exported_graphs,
    read_manifest,
)
from biobert.tasks import build_task
from biobert.text.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Export:
    """`weights`: float32; float16 and bf16 halve the file; int8 rounds weights alone, and OpenVINO
    then rounds activations as it goes; int8-static rounds activations too, by ranges seen on
    `calibration.rows` rows of the corpora. `format` openvino is OpenVINO's own, for it alone.
    """

    weights: Literal["float32", "float16", "bf16", "int8", "int8-static"] = "float32"
    format: Literal["onnx", "openvino"] = "onnx"
    calibration: Calibration = field(default_factory=Calibration)


SETTINGS = Export


def apply(source: Path, target: Path, settings: Export, bench: Workbench) -> Mapping[str, Any]:
    """The folder with a graph in place of the weights."""
    target.mkdir(parents=True)
    said: dict[str, Any] = {"weights": settings.weights, "format": settings.format}
    if has_weights(source):
        said["difference_float32"] = export_graphs(source, target).difference
        Tokenizer.from_folder(source).save(target)
    elif (source / EXPORTED_MODEL).is_file():
        for graph in exported_graphs(source):
            restore_floats(graph, target / graph.name)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(source / name, target / name)
    else:
        raise BadInputError(f"{source}: neither weights nor {EXPORTED_MODEL}", code="not-found")
    for name in (MANIFEST, CONFIG):
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    for graph in exported_graphs(target):
        _change_weights(graph, settings, bench)
        if settings.format == "openvino":
            convert_to_openvino(graph)
    return said


def check(source: Path, settings: Export) -> None:
    """An error for what could not be exported so, before anything is read."""
    if settings.weights != "int8-static":
        return
    need_packages()
    manifest = read_manifest(source)
    if any(
        head.kind == "text" for head in build_task(manifest.task, manifest.task_settings).heads()
    ):
        raise BadInputError(
            "weights 'int8-static' cannot be had for a model that writes texts: what its decoder "
            "meets depends on what it has written, so that no rows show its ranges; take 'int8'"
        )


def _change_weights(graph: Path, settings: Export, bench: Workbench) -> None:
    changed = graph.with_name("changed.onnx")
    if settings.weights == "float32":
        return
    if settings.weights == "int8":
        quantize_weights(graph, changed)
    elif settings.weights == "int8-static":
        _calibrated(graph, changed, settings.calibration, bench)
    else:
        halve_weights(graph, changed, settings.weights)
    changed.replace(graph)


def _calibrated(graph: Path, changed: Path, settings: Calibration, bench: Workbench) -> None:
    manifest = read_manifest(graph.parent)
    task = build_task(manifest.task, manifest.task_settings)
    rows = bench.rows(task, Tokenizer.from_folder(graph.parent), settings.rows)
    quantize_statically(graph, changed, [row.window for row in rows], settings)
