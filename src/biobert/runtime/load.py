"""An exported model as a predictor, on the engine that the settings name."""

from collections.abc import Sequence
from pathlib import Path

from biobert.core.errors import BadInputError
from biobert.core.model_folder import EXPORTED_MODEL, EXPORTED_OPENVINO
from biobert.core.task import HeadSpec, Predictor
from biobert.runtime.settings import RuntimeSettings


def find_exported(folder: Path, settings: RuntimeSettings) -> Path | None:
    """The exported model of a folder that the engine can run: OpenVINO's own form, else ONNX."""
    names = [EXPORTED_OPENVINO, EXPORTED_MODEL]
    if settings.engine == "onnxruntime":
        names.remove(EXPORTED_OPENVINO)
    if settings.engine == "torch":
        names.clear()
    return next((folder / name for name in names if (folder / name).is_file()), None)


def load_exported(model: Path, heads: Sequence[HeadSpec], settings: RuntimeSettings) -> Predictor:
    """Run an exported model: inputs are named as in `window_arrays`, outputs as the heads."""
    if not model.is_file():
        raise BadInputError(
            f"no exported model at {model}; make it with `biobert export`", code="not-found"
        )
    if settings.engine == "onnxruntime":
        from biobert.runtime.onnxruntime import OnnxRuntimePredictor

        return OnnxRuntimePredictor(model, heads, settings)
    from biobert.runtime.openvino import OpenVinoPredictor

    return OpenVinoPredictor(model, heads, settings)
