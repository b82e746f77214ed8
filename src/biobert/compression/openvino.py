"""An ONNX file as OpenVINO's own form."""

from pathlib import Path

from biobert.runtime.openvino import import_openvino


def convert_to_openvino(graph: Path) -> None:
    """Put `NAME.xml` and `NAME.bin` in the place of `NAME.onnx`; weights keep their kind."""
    openvino = import_openvino()
    model = openvino.Core().read_model(graph)
    openvino.save_model(model, graph.with_suffix(".xml"), compress_to_fp16=False)
    graph.unlink()
