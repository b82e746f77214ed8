"""An exported model as a predictor, on the engine that the settings name."""

from collections.abc import Sequence
from pathlib import Path

from biobert.core.errors import BadInputError
from biobert.core.model_folder import EXPORTED_DECODER, EXPORTED_MODEL, EXPORTED_OPENVINO
from biobert.core.task import HeadSpec, Predictor
from biobert.runtime.decoder import Graph, GraphDecoder
from biobert.runtime.settings import RuntimeSettings
from biobert.text.tokenizer import Tokenizer
from biobert.text.writing import TextPredictor


def find_exported(folder: Path, settings: RuntimeSettings) -> Path | None:
    """The exported model of a folder that the engine can run: OpenVINO's own form, else ONNX."""
    names = [EXPORTED_OPENVINO, EXPORTED_MODEL]
    if settings.engine == "onnxruntime":
        names.remove(EXPORTED_OPENVINO)
    if settings.engine == "torch":
        names.clear()
    return next((folder / name for name in names if (folder / name).is_file()), None)


def load_exported(model: Path, heads: Sequence[HeadSpec], settings: RuntimeSettings) -> Predictor:
    """Run an exported model: inputs are named as in `window_arrays`, outputs as the heads.

    One that writes texts has a second graph beside it.
    """
    _check_there(model)
    if any(head.kind == "text" for head in heads):
        return TextPredictor(
            load_decoder(model, settings),
            heads[0],
            Tokenizer.from_folder(model.parent),
            token_budget=settings.token_budget,
        )
    if settings.engine == "onnxruntime":
        from biobert.runtime.onnxruntime import OnnxRuntimePredictor

        return OnnxRuntimePredictor(model, heads, settings)
    from biobert.runtime.openvino import OpenVinoPredictor

    return OpenVinoPredictor(model, heads, settings)


def load_decoder(model: Path, settings: RuntimeSettings) -> GraphDecoder:
    """The decoder whose encoder is this graph; its own lies beside it, in the same form."""
    decoder = model.with_name(EXPORTED_DECODER).with_suffix(model.suffix)
    _check_there(decoder)
    reader, next_piece = (_graph(one, settings) for one in (model, decoder))
    return GraphDecoder(model.parent, reader, next_piece)


def _graph(model: Path, settings: RuntimeSettings) -> Graph:
    if settings.engine == "onnxruntime":
        from biobert.runtime.onnxruntime import OnnxRuntimeGraph

        return OnnxRuntimeGraph(model, settings)
    from biobert.runtime.openvino import OpenVinoGraph

    return OpenVinoGraph(model, settings)


def _check_there(model: Path) -> None:
    if not model.is_file():
        raise BadInputError(
            f"no exported model at {model}; make it with `biobert export`", code="not-found"
        )
