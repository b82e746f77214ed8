"""The predictor on ONNX Runtime, for machines that OpenVINO does not run on. Never in bf16."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from biobert.core.batching import cut_outputs, length_sorted_batches, window_arrays
from biobert.core.errors import BadInputError, MissingExtraError
from biobert.core.task import HeadSpec, InputName, Outputs, Window
from biobert.runtime.settings import TOKEN_BUDGET, RuntimeSettings

ERRORS_ONLY = 3
WEIGHTS_AS_FLOATS = "session.disable_quant_qdq"
"""Left to itself it rounds activations that meet eight-bit weights, as OpenVINO does. With weights
that are made floats once, the embedded model takes as long for a sentence, and 1.15 times as long
for twelve (with weights left small, by `qdq_matmulnbits_accuracy_level`, 2.8 and 1.45 times)."""


class OnnxRuntimePredictor:
    """Runs an ONNX file: its inputs are named as in `window_arrays`, its outputs as the heads."""

    def __init__(
        self, model: Path, heads: Sequence[HeadSpec], settings: RuntimeSettings = RuntimeSettings()
    ) -> None:
        self.heads = tuple(heads)
        self.precision = "f32"
        self._token_budget = settings.token_budget or TOKEN_BUDGET
        self._session = _session(model, settings)
        self._inputs: list[InputName] = [one.name for one in self._session.get_inputs()]

    def predict(self, windows: Sequence[Window]) -> list[Outputs]:
        """Logits by head for each window, in order."""
        results: list[Outputs] = [{} for _ in windows]
        names = [head.name for head in self.heads]
        lengths = [len(window) for window in windows]
        for batch in length_sorted_batches(lengths, token_budget=self._token_budget):
            numbers = batch.tolist()
            arrays = window_arrays([windows[number] for number in numbers])
            found = self._session.run(names, {name: arrays[name] for name in self._inputs})
            logits = {name: np.asarray(one) for name, one in zip(names, found, strict=True)}
            for row, number in enumerate(numbers):
                results[number] = cut_outputs(self.heads, logits, row, lengths[number])
        return results


class OnnxRuntimeGraph:
    """Runs an ONNX file on arrays as they are."""

    engine = "OnnxRuntime"
    precision = "f32"

    def __init__(self, model: Path, settings: RuntimeSettings) -> None:
        self._session = _session(model, settings)

    def run(self, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]) -> list[np.ndarray]:
        """The outputs of these names."""
        found: list[np.ndarray] = self._session.run(list(outputs), dict(inputs))
        return found


def _session(model: Path, settings: RuntimeSettings) -> Any:
    if find_spec("onnxruntime") is None:
        raise MissingExtraError("onnxruntime", "onnx")
    if settings.precision == "bf16":
        raise BadInputError("ONNX Runtime does not compute in bf16 here; use engine 'openvino'")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.cores
    options.log_severity_level = ERRORS_ONLY
    if settings.precision == "float32":
        options.add_session_config_entry(WEIGHTS_AS_FLOATS, "1")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
