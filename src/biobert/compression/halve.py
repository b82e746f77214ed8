"""Weights of an ONNX file in sixteen bits: half the size; any engine computes as before."""

from pathlib import Path
from typing import Literal

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from biobert.compression.quantize import SMALLEST_MATRIX

Half = Literal["float16", "bf16"]
KINDS = {
    "float16": (torch.float16, TensorProto.FLOAT16),
    "bf16": (torch.bfloat16, TensorProto.BFLOAT16),
}


def halve_weights(source: Path, target: Path, kind: Half) -> None:
    """Write `target`, whose larger weights are stored in half precision and cast to floats.

    float16 keeps three more bits of each weight than bf16, which is what some checkpoints are in.
    """
    precision, stored = KINDS[kind]
    model = onnx.load(source)
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        weights = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or weights.size < SMALLEST_MATRIX:
            continue
        half = torch.from_numpy(weights.copy()).to(precision)
        if not torch.isfinite(half).all():
            # Beyond float16's 65504: such a tensor stays as it is.
            continue
        name = f"{tensor.name}.{kind}"
        content = half.contiguous().flatten().view(torch.uint8).numpy().tobytes()
        graph.initializer.remove(tensor)
        graph.initializer.append(
            helper.make_tensor(name, stored, list(weights.shape), content, raw=True)
        )
        casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
    onnx.checker.check_model(model)
    onnx.save(model, target)
