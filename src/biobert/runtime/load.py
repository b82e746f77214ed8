"""An exported model as a predictor, on the engine that the settings name."""

from collections.abc import Sequence
from pathlib import Path

from biobert.core.errors import BadInputError
from biobert.core.task import HeadSpec, Predictor
from biobert.runtime.settings import RuntimeSettings


def load_exported(model: Path, heads: Sequence[HeadSpec], settings: RuntimeSettings) -> Predictor:
    """Run an ONNX file: its inputs are named as in `window_arrays`, its outputs as the heads."""
    if not model.is_file():
        raise BadInputError(
            f"no exported model at {model}; make it with `biobert export`", code="not-found"
        )
    if settings.engine == "onnxruntime":
        from biobert.runtime.onnxruntime import OnnxRuntimePredictor

        return OnnxRuntimePredictor(model, heads, settings)
    from biobert.runtime.openvino import OpenVinoPredictor

    return OpenVinoPredictor(model, heads, settings)
