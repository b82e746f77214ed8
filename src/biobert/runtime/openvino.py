"""The predictor on OpenVINO: batches of similar length, several of them in flight.

OpenVINO's usage statistics are never loaded: its telemetry package is replaced before the import.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, Literal

import numpy as np

from biobert.core.batching import cut_outputs, length_sorted_batches, window_arrays
from biobert.core.errors import BadInputError
from biobert.core.task import HeadSpec, InputName, IntArray, Outputs, Window
from biobert.runtime.settings import TOKEN_BUDGET, Precision, RuntimeSettings

DYNAMIC_GROUP = 128
"""Inputs in eight bits meet eight-bit weights in groups of this size: 13% faster than OpenVINO's
own 32, with the same F1 (docs/lab-notes.md). Float32 weights are not touched. In float32, too, it
is 2.4 times as fast: only who asks for float32 by name has activations that are never rounded."""

REMEMBERED_SHAPES = "64"
"""Programs that OpenVINO keeps for shapes it has met. Its own 5000 held 1.5 GB after 600 abstracts
in batches of changing size, and went on growing; these hold 0.5 GB, at 1.02 times the time."""

SMALLEST_BATCH = 64
"""Slots of a batch below which a stream of its own costs more than it brings."""


class OpenVinoPredictor:
    """Runs an ONNX or OpenVINO file: inputs named as in `window_arrays`, outputs as the heads."""

    def __init__(
        self,
        model: Path,
        heads: Sequence[HeadSpec],
        settings: RuntimeSettings = RuntimeSettings(),
    ) -> None:
        self.heads = tuple(heads)
        self.settings = settings
        self._token_budget = settings.token_budget or TOKEN_BUDGET
        openvino = import_openvino()
        core = openvino.Core()
        self.precision = _precision(core, settings.precision)
        options = compile_options(settings, self.precision)
        self._compiled = core.compile_model(core.read_model(model), "CPU", options)
        self._inputs: list[InputName] = [one.get_any_name() for one in self._compiled.inputs]
        self._queue = openvino.AsyncInferQueue(self._compiled)
        self._queue.set_callback(self._collect)
        # The queue is not made for callers at once, such as two streams of one annotator.
        self._turn = Lock()
        self._places = output_places(self._compiled, heads)

    def predict(self, windows: Sequence[Window]) -> list[Outputs]:
        """Logits by head for each window, in order."""
        results: list[Outputs] = [{} for _ in windows]
        lengths = [len(window) for window in windows]
        with self._turn:
            for batch in self._batches(lengths):
                numbers = batch.tolist()
                arrays = window_arrays([windows[number] for number in numbers])
                inputs = {name: arrays[name] for name in self._inputs}
                self._queue.start_async(inputs, (numbers, lengths, results))
            self._queue.wait_all()
        return results

    def _batches(self, lengths: Sequence[int]) -> list[IntArray]:
        """Rows by batch. The last round, too, has a batch for every stream, where rows suffice."""
        batches = length_sorted_batches(lengths, token_budget=self._budget(sum(lengths)))
        missing = -len(batches) % self.settings.parallel_batches
        if missing and len(batches) > 1:
            batches += np.array_split(batches.pop(), missing + 1)
        return [one for one in batches if len(one)]

    def _budget(self, tokens: int) -> int:
        """Slots of a batch: so few that a short text, too, keeps all streams at work."""
        share = -(-tokens // self.settings.parallel_batches)
        return min(self._token_budget, max(SMALLEST_BATCH, share))

    def _collect(self, request: Any, job: tuple[list[int], list[int], list[Outputs]]) -> None:
        numbers, lengths, results = job
        # The request is used again after this: its memory must be copied.
        logits = {
            name: request.get_output_tensor(place).data.copy()
            for name, place in self._places.items()
        }
        for row, number in enumerate(numbers):
            results[number] = cut_outputs(self.heads, logits, row, lengths[number])


class OpenVinoGraph:
    """Runs an ONNX or OpenVINO file on arrays as they are, one run after another.

    Its `auto` precision is float32: of 96 texts bf16 made 40 other ones (docs/lab-notes.md).
    """

    engine = "OpenVINO"

    def __init__(self, model: Path, settings: RuntimeSettings) -> None:
        core = import_openvino().Core()
        wanted = "float32" if settings.precision == "auto" else settings.precision
        self.precision = _precision(core, wanted)
        options = compile_options(settings, self.precision, hint="LATENCY")
        self._compiled = core.compile_model(core.read_model(model), "CPU", options)

    def run(self, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]) -> list[np.ndarray]:
        """The outputs of these names. The next run writes into the same memory."""
        found = self._compiled(dict(inputs), share_inputs=True, share_outputs=True)
        return [found[name] for name in outputs]


def compile_options(
    settings: RuntimeSettings,
    precision: str,
    *,
    hint: Literal["THROUGHPUT", "LATENCY"] = "THROUGHPUT",
) -> dict[str, str]:
    """How OpenVINO computes: several batches at once, or for `LATENCY` one by all threads."""
    group = 0 if settings.precision == "float32" else DYNAMIC_GROUP
    return {
        "PERFORMANCE_HINT": hint,
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": str(settings.cores),
        "NUM_STREAMS": str(settings.parallel_batches if hint == "THROUGHPUT" else 1),
        "CPU_RUNTIME_CACHE_CAPACITY": REMEMBERED_SHAPES,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": str(group),
        # Pinned, the threads of every process take the first cores: two workers share one.
        "ENABLE_CPU_PINNING": "NO",
    }


def output_places(compiled: Any, heads: Sequence[HeadSpec]) -> dict[str, int]:
    """Which output of a compiled model is that of each head."""
    # An output may carry further names of the graph's own, in no order.
    names = [output.get_names() for output in compiled.outputs]
    return {
        head.name: next(place for place, some in enumerate(names) if head.name in some)
        for head in heads
    }


def _precision(core: Any, wanted: Precision) -> str:
    capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if wanted == "float32":
        return "f32"
    if wanted == "bf16" and "BF16" not in capabilities:
        raise BadInputError("this processor does not compute in bf16; use precision 'float32'")
    return "bf16" if "BF16" in capabilities else "f32"


class _Silent:
    """Stands in for OpenVINO's telemetry: takes every call and sends nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Whatever it is told."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def import_openvino() -> ModuleType:
    """OpenVINO, and for whatever is imported after it (nncf) the silent telemetry."""
    if "openvino_telemetry" not in sys.modules:
        silent = ModuleType("openvino_telemetry")
        silent.Telemetry = _Silent  # type: ignore[attr-defined]
        sys.modules["openvino_telemetry"] = silent
    return import_module("openvino")
