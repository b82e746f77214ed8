"""Weights of an ONNX file in eight bits: a quarter of the size, almost the same answers.

Only weights are rounded. Each output channel of a matrix (each row of an embedding table) has its
own scale, weight = scale x int8, and a DequantizeLinear node gives the float back; activations stay
as they are.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from biobert.core.errors import BadInputError

SMALLEST_MATRIX = 1024
STORED_AS = {
    "DequantizeLinear": (TensorProto.INT8,),
    "Cast": (TensorProto.FLOAT16, TensorProto.BFLOAT16),
}
"""What smaller weights are, by the node that makes them floats."""
ROUNDS_ACTIVATIONS = "QuantizeLinear"


def quantize_weights(source: Path, target: Path) -> None:
    """Write `target` with int8 weights for every matrix product and embedding table.

    Raises BadInputError for a graph in which no weights are floats.
    """
    model = onnx.load(source)
    graph = model.graph
    axes = _axes(graph)
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for name, axis in axes.items():
        tensor = initializers.get(name)
        if tensor is None or tensor.data_type != TensorProto.FLOAT or len(tensor.dims) != 2:
            continue
        weights = numpy_helper.to_array(tensor)
        if weights.size < SMALLEST_MATRIX:
            continue
        graph.initializer.remove(tensor)
        nodes.append(_add_rounded(graph, name, weights, axis))
    if not nodes:
        raise BadInputError(f"{source}: no float weights to round: export the model it was made of")
    # Dequantisation must come before its users.
    old = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *old])
    onnx.checker.check_model(model)
    onnx.save(model, target)


def restore_floats(source: Path, target: Path) -> None:
    """Write `target` with floats in place of the weights that `quantize_weights` or `halve_weights`
    made smaller; what they rounded away stays away.

    Raises BadInputError for a graph that rounds activations too.
    """
    model = onnx.load(source)
    graph = model.graph
    if any(node.op_type == ROUNDS_ACTIVATIONS for node in graph.node):
        raise BadInputError(
            f"{source} rounds activations too (int8-static), whatever becomes of its weights: "
            "export the model it was made of"
        )
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        stored = [initializers[name] for name in node.input[:2] if name in initializers]
        if not stored or stored[0].data_type not in STORED_AS.get(node.op_type, ()):
            graph.node.append(node)
            continue
        for tensor in stored:
            graph.initializer.remove(tensor)
        values, *scales = map(numpy_helper.to_array, stored)
        axis = next((one.i for one in node.attribute if one.name == "axis"), 1)
        weights = _restored(values, scales[0], axis) if scales else values.astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(weights, node.output[0]))
    onnx.checker.check_model(model)
    onnx.save(model, target)


def round_weights(
    weights: npt.NDArray[np.float32], *, axis: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Symmetric int8 values and the scale of each slice along `axis`."""
    largest = np.abs(weights).max(axis=1 - axis)
    scales = np.where(largest > 0, largest / 127.0, 1.0).astype(np.float32)
    spread = scales[:, None] if axis == 0 else scales[None, :]
    return np.clip(np.rint(weights / spread), -127, 127).astype(np.int8), scales


def _axes(graph: onnx.GraphProto) -> dict[str, int]:
    """For each weight the axis of its channels: columns of a product, rows of a table."""
    axes: dict[str, int] = {}
    for node in graph.node:
        if node.op_type == "MatMul":
            axes[node.input[1]] = 1
        elif node.op_type == "Gather":
            axes[node.input[0]] = 0
        elif node.op_type == "Gemm":
            transposed = any(one.name == "transB" and one.i for one in node.attribute)
            axes[node.input[1]] = 0 if transposed else 1
    return axes


def _add_rounded(
    graph: onnx.GraphProto, name: str, weights: npt.NDArray[np.float32], axis: int
) -> onnx.NodeProto:
    values, scales = round_weights(weights, axis=axis)
    graph.initializer.append(numpy_helper.from_array(values, f"{name}.int8"))
    graph.initializer.append(numpy_helper.from_array(scales, f"{name}.scale"))
    return helper.make_node(
        "DequantizeLinear", [f"{name}.int8", f"{name}.scale"], [name], axis=axis
    )


def _restored(
    values: npt.NDArray[np.int8], scales: npt.NDArray[np.float32], axis: int
) -> npt.NDArray[np.float32]:
    spread = scales[:, None] if axis == 0 else scales[None, :]
    weights: npt.NDArray[np.float32] = (values * spread).astype(np.float32)
    return weights
