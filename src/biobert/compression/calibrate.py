"""Weights and activations of an ONNX file in eight bits, by ranges seen on real rows.

SmoothQuant (Xiao et al. 2023, arXiv:2211.10438) first moves part of the spread of the activations,
which a few channels cause, into the weights; weights have a scale for each output channel. Layer
norms, softmax and what lies between them stay floats, as nncf knows transformers. Quantisers are
symmetric: OpenVINO then takes a third less time for a single sentence (docs/lab-notes.md).
"""

import logging
import re
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import onnx

from biobert.core.batching import window_arrays
from biobert.core.errors import BadInputError, MissingExtraError
from biobert.core.task import Window
from biobert.runtime.openvino import import_openvino


@dataclass(frozen=True, slots=True)
class Calibration:
    """How many `rows` show the ranges, and how much of the spread SmoothQuant moves (`smoothing`,
    0 to 1). Nodes of the graph whose name fits one of `float_nodes` (regular expressions) stay
    floats."""

    rows: int = 200
    smoothing: float = 0.95
    float_nodes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.rows < 1 or not 0.0 <= self.smoothing <= 1.0:
            raise BadInputError(
                f"[steps.calibration] rows = {self.rows}, smoothing = {self.smoothing}: at least "
                "one row, smoothing from 0 to 1"
            )


def quantize_statically(
    source: Path, target: Path, windows: Sequence[Window], settings: Calibration
) -> None:
    """Write `target`: the float graph `source` with QuantizeLinear and DequantizeLinear in it."""
    nncf = _import_nncf()
    model = onnx.load(source)
    _check_patterns(settings.float_nodes, model.graph)
    names = [one.name for one in model.graph.input]
    rows = []
    for window in windows:
        # One row at a time: padding would show ranges that no answer depends on.
        arrays = window_arrays([window])
        rows.append({name: value for name, value in arrays.items() if name in names})
    parameters = nncf.quantization.advanced_parameters
    smoothing = parameters.AdvancedSmoothQuantParameters(matmul=settings.smoothing)
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")  # of nncf's own making
        quantized = nncf.quantize(
            model,
            nncf.Dataset(rows),
            preset=nncf.QuantizationPreset.PERFORMANCE,
            subset_size=len(rows),
            model_type=nncf.ModelType.TRANSFORMER,
            ignored_scope=nncf.IgnoredScope(patterns=list(settings.float_nodes)),
            advanced_parameters=parameters.AdvancedQuantizationParameters(
                smooth_quant_alphas=smoothing
            ),
        )
    onnx.save(quantized, target)


def _check_patterns(patterns: Sequence[str], graph: onnx.GraphProto) -> None:
    names = [node.name for node in graph.node]
    for pattern in patterns:
        if not any(re.match(pattern, name) for name in names):
            example = next(node.name for node in graph.node if node.op_type == "MatMul")
            raise BadInputError(
                f"[steps.calibration] float_nodes: no node fits {pattern!r}; they are called "
                f"{example} and the like"
            )


def need_packages() -> None:
    """An error that names the extra, unless all is here that calibrates."""
    for package in ("nncf", "onnxruntime"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "compress")


def _import_nncf() -> Any:
    need_packages()
    import_openvino()  # Before nncf, which would send statistics of its use.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nncf
        import nncf.quantization.advanced_parameters
    logging.getLogger("nncf").setLevel(logging.ERROR)
    return nncf
