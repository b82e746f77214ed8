"""An ONNX file as OpenVINO's own form."""

from pathlib import Path

from biobert.core.model_folder import EXPORTED_OPENVINO
from biobert.runtime.openvino import import_openvino


def convert_to_openvino(graph: Path) -> None:
    """Put `model.xml` and `model.bin` in the place of the ONNX file; weights keep their kind."""
    openvino = import_openvino()
    model = openvino.Core().read_model(graph)
    openvino.save_model(model, graph.with_name(EXPORTED_OPENVINO), compress_to_fp16=False)
    graph.unlink()
