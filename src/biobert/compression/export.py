"""A trained model folder becomes `model.onnx`, checked against PyTorch."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from biobert.core.errors import BiobertError
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
    """Write `output/model.onnx` in float32 and check it on rows of several lengths.

    Not of a network that writes texts: that is `export_decoder`.
    """
    output.mkdir(parents=True, exist_ok=True)
    path = output / EXPORTED_MODEL
    samples = _sample_rows(network)
    axes: dict[str, dict[int, str]]
    axes = {name: {0: "rows", 1: "length"} for name in inputs if name != "marks"}
    axes |= {spec.name: _dynamic_axes(spec) for spec in network.specs}
    if "marks" in inputs:
        axes["marks"] = {0: "rows"}
    write_graph(
        _Exportable(network, inputs),
        {name: samples[name] for name in inputs},
        path,
        outputs=[spec.name for spec in network.specs],
        axes=axes,
    )
    return ExportReport(path, path.stat().st_size, check_export(network, path, inputs))


def write_graph(
    module: nn.Module,
    inputs: Mapping[str, torch.Tensor],
    path: Path,
    *,
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
) -> None:
    """Write what the module does with such inputs; `axes` names the sizes that may be others."""
    with warnings.catch_warnings():
        # The tracing exporter is the one whose graphs OpenVINO and ONNX Runtime fuse.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            # It leaves all parts of the module as this one was: in training they drop out.
            module.eval(),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


def check_export(network: Network, path: Path, inputs: Sequence[InputName]) -> float:
    """The largest difference of the ONNX file's logits from PyTorch's; an error beyond 1e-4.

    OpenVINO gives them: it runs graphs of every architecture, as onnx's own reference does not.
    """
    compiled = import_openvino().Core().compile_model(path, "CPU", FLOAT32)
    places = output_places(compiled, network.specs)
    largest = []
    exportable = _Exportable(network, inputs).eval()
    for samples in (_sample_rows(network), _sample_rows(network, rows=1, length=11)):
        with torch.no_grad():
            expected = exportable(*(samples[name] for name in inputs))
        found = compiled({name: samples[name].numpy() for name in inputs})
        for spec, wanted in zip(network.specs, expected, strict=True):
            rows = samples["mask"].numpy() if spec.is_by_token else slice(None)
            differences = np.abs(found[places[spec.name]] - wanted.numpy())
            largest.append(differences[rows].max())
    return check_difference(largest, path)


def check_difference(differences: Sequence[float], path: Path) -> float:
    """The largest difference from PyTorch, if it is small enough."""
    # numpy's maximum is NaN where one is, and of NaN nobody can say that it is small.
    largest = float(np.max(differences))
    if not largest <= TOLERANCE:
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
