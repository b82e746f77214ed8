"""A trained model folder becomes `model.onnx`, checked against PyTorch."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from biobert.core.errors import BadInputError, BiobertError
from biobert.core.model_folder import EXPORTED_MODEL
from biobert.core.task import HeadSpec, InputName
from biobert.model.network import Network
from biobert.runtime.openvino import import_openvino, output_places

OPSET = 17
TOLERANCE = 1e-4
FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written; `difference` is the largest of any logit from PyTorch's, in float32."""

    path: Path
    bytes: int
    difference: float


class _Exportable(nn.Module):
    """The network with inputs in a row and outputs as a tuple, which ONNX wants."""

    def __init__(self, network: Network, inputs: Sequence[InputName]) -> None:
        super().__init__()
        self.network = network
        self.inputs = tuple(inputs)

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Logits of every head, in order."""
        given = dict(zip(self.inputs, tensors, strict=True))
        outputs = self.network(
            given["token_ids"], given.get("segment_ids"), given["mask"], marks=given.get("marks")
        )
        return tuple(outputs[spec.name] for spec in self.network.specs)


def export_onnx(network: Network, output: Path, inputs: Sequence[InputName]) -> ExportReport:
    """Write `output/model.onnx` in float32 and check it on rows of several lengths."""
    if any(spec.kind == "text" for spec in network.specs):
        raise BadInputError("a model that writes texts needs its search: it runs on torch alone")
    output.mkdir(parents=True, exist_ok=True)
    path = output / EXPORTED_MODEL
    samples = _sample_rows(network)
    names = [spec.name for spec in network.specs]
    axes: dict[str, dict[int, str]]
    axes = {name: {0: "rows", 1: "length"} for name in inputs if name != "marks"}
    axes |= {spec.name: _dynamic_axes(spec) for spec in network.specs}
    if "marks" in inputs:
        axes["marks"] = {0: "rows"}
    with warnings.catch_warnings():
        # The tracing exporter is the one whose graphs OpenVINO and ONNX Runtime fuse.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Exportable(network, inputs).eval(),
            tuple(samples[name] for name in inputs),
            str(path),
            input_names=list(inputs),
            output_names=names,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    return ExportReport(path, path.stat().st_size, check_export(network, path, inputs))


def check_export(network: Network, path: Path, inputs: Sequence[InputName]) -> float:
    """The largest difference of the ONNX file's logits from PyTorch's; an error beyond 1e-4.

    OpenVINO gives them: it runs graphs of every architecture, as onnx's own reference does not.
    """
    compiled = import_openvino().Core().compile_model(path, "CPU", FLOAT32)
    places = output_places(compiled, network.specs)
    largest = 0.0
    exportable = _Exportable(network, inputs).eval()
    for samples in (_sample_rows(network), _sample_rows(network, rows=1, length=11)):
        with torch.no_grad():
            expected = exportable(*(samples[name] for name in inputs))
        found = compiled({name: samples[name].numpy() for name in inputs})
        for spec, wanted in zip(network.specs, expected, strict=True):
            rows = samples["mask"].numpy() if spec.is_by_token else slice(None)
            differences = np.abs(found[places[spec.name]] - wanted.numpy())
            largest = max(largest, float(differences[rows].max()))
    if largest > TOLERANCE:
        raise BiobertError(f"{path}: logits differ from PyTorch's by {largest:.2g} > {TOLERANCE}")
    return largest


def _sample_rows(
    network: Network, rows: int = 3, length: int = 24
) -> dict[InputName, torch.Tensor]:
    generator = torch.Generator().manual_seed(11)
    lengths = length - torch.arange(rows)[:, None] * 5
    marks = max(spec.marks for spec in network.specs)
    return {
        "token_ids": torch.randint(5, 30, (rows, length), generator=generator),
        "mask": torch.arange(length)[None, :] < lengths,
        "segment_ids": (torch.arange(length)[None, :] >= lengths // 2).long(),
        "marks": torch.arange(1, marks + 1)[None, :].expand(rows, -1),
    }


def _dynamic_axes(spec: HeadSpec) -> dict[int, str]:
    return {0: "rows", 1: "length"} if spec.is_by_token else {0: "rows"}
