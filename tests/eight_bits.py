"""Graphs with weights in eight bits, without the gate that the product puts before them."""

from pathlib import Path

from biobert.compression.folder import export_folder
from biobert.compression.quantize import quantize_weights
from biobert.core.model_folder import exported_graphs


def export_in_eight_bits(model: Path, output: Path) -> Path:
    """The model's graphs in `output`, their weights rounded."""
    export_folder(model, output)
    for graph in exported_graphs(output):
        quantize_weights(graph, rounded := graph.with_name("rounded.onnx"))
        rounded.replace(graph)
    return output
