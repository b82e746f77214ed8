"""A trained model folder becomes `model.onnx`, checked against PyTorch."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from biobert.core.errors import BiobertError
from biobert.core.model_folder import EXPORTED_MODEL
from biobert.core.task import HeadSpec
from biobert.model.network import Network

OPSET = 17
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written; `difference` is the largest of any logit from PyTorch's, in float32."""

    path: Path
    bytes: int
    difference: float


class _Exportable(nn.Module):
    """The network with outputs as a tuple, which ONNX wants."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, token_ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Logits of every head, in order."""
        outputs = self.network(token_ids, None, mask)
        return tuple(outputs[spec.name] for spec in self.network.specs)


def export_onnx(network: Network, output: Path) -> ExportReport:
    """Write `output/model.onnx` in float32 and check it on rows of several lengths."""
    output.mkdir(parents=True, exist_ok=True)
    path = output / EXPORTED_MODEL
    token_ids, mask = _sample_rows()
    names = [spec.name for spec in network.specs]
    axes = {"token_ids": {0: "rows", 1: "length"}, "mask": {0: "rows", 1: "length"}}
    axes |= {spec.name: _dynamic_axes(spec) for spec in network.specs}
    with warnings.catch_warnings():
        # The tracing exporter is the one whose graphs OpenVINO and ONNX Runtime fuse.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Exportable(network).eval(),
            (token_ids, mask),
            str(path),
            input_names=["token_ids", "mask"],
            output_names=names,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    return ExportReport(path, path.stat().st_size, check_export(network, path))


def check_export(network: Network, path: Path) -> float:
    """The largest difference of the ONNX file's logits from PyTorch's; an error beyond 1e-4."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(onnx.load(path))
    largest = 0.0
    for token_ids, mask in (_sample_rows(), _sample_rows(rows=1, length=11)):
        with torch.no_grad():
            expected = network(token_ids, None, mask)
        found = evaluator.run(None, {"token_ids": token_ids.numpy(), "mask": mask.numpy()})
        for spec, logits in zip(network.specs, found, strict=True):
            wanted = expected[spec.name].numpy()
            rows = mask.numpy() if spec.kind == "token" else slice(None)
            largest = max(largest, float(np.abs(np.asarray(logits) - wanted)[rows].max()))
    if largest > TOLERANCE:
        raise BiobertError(f"{path}: logits differ from PyTorch's by {largest:.2g} > {TOLERANCE}")
    return largest


def _sample_rows(rows: int = 3, length: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(11)
    token_ids = torch.randint(5, 60, (rows, length), generator=generator)
    lengths = torch.arange(rows)[:, None] * 5
    mask = torch.arange(length)[None, :] < length - lengths
    return token_ids, mask


def _dynamic_axes(spec: HeadSpec) -> dict[int, str]:
    return {0: "rows", 1: "length"} if spec.kind == "token" else {0: "rows"}
