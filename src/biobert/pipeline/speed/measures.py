"""How long a loaded model takes from text to answers, and how much room it needs."""

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from biobert.core.annotate import part_of
from biobert.core.document import Document
from biobert.core.model_folder import read_manifest
from biobert.core.task import Task
from biobert.pipeline.load import LoadedModel
from biobert.runtime.settings import available_cores

STATUS, PROCESSORS = Path("/proc/self/status"), Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds for one text by itself: the median, and what 99 of 100 stay below."""

    p50_ms: float
    p99_ms: float


def speed_unit(task: Task) -> Literal["sentence", "document"]:
    """What is answered at once: a sentence where the task labels words, else a document."""
    return "sentence" if all(head.kind == "token" for head in task.heads()) else "document"


def speed_texts(task: Task, documents: Sequence[Document], most: int) -> list[Document]:
    """At most so many texts, from all over the documents, each a unit of the task."""
    texts = list(documents)
    if speed_unit(task) == "sentence":
        texts = [
            part_of(document, one.start, one.end)
            for document in documents
            for one in task.examples(document)
        ]
    if len(texts) <= most:
        return texts
    return [texts[number] for number in np.linspace(0, len(texts) - 1, most).astype(int)]


def seconds_by_call(model: LoadedModel, texts: Sequence[Document], batch: int) -> list[float]:
    """How long each call took that was handed `batch` texts, until all texts were answered."""
    seconds = []
    for start in range(0, len(texts), batch):
        some = texts[start : start + batch]
        began = time.perf_counter()
        model.annotated(some)
        seconds.append(time.perf_counter() - began)
    return seconds


def latency_of(seconds: Sequence[float]) -> Latency:
    """The latency from the seconds of calls with one text each."""
    p50, p99 = np.percentile(np.asarray(seconds) * 1000.0, [50, 99])
    return Latency(float(p50), float(p99))


def engine_of(model: LoadedModel) -> str:
    """What runs a model, and how it computes: `OpenVINO bf16`, `Torch float32`."""
    kind = type(model.predictor).__name__.removesuffix("Predictor").replace("Vino", "VINO")
    name = getattr(model.predictor, "engine", kind)
    precision = getattr(model.predictor, "precision", "")
    return f"{name} {precision}".replace(" f32", " float32").strip()


def machine_name() -> str:
    """The processor as it calls itself, and how many of its cores this process may use."""
    name = platform.processor() or platform.machine()
    if PROCESSORS.is_file():
        lines = (line.partition(":") for line in PROCESSORS.read_text().splitlines())
        named = (value.strip() for key, _, value in lines if key.strip() == "model name")
        name = next(named, name)
    return f"{name}, {available_cores()} cores"


def folder_bytes(folder: Path) -> int:
    """The files of a model folder and of its members; checkpoints of the run are no part of it."""
    own = sum(one.stat().st_size for one in folder.iterdir() if one.is_file())
    return own + sum(folder_bytes(folder / name) for name in read_manifest(folder).members)


def peak_memory_bytes() -> int:
    """The most memory that this process has held at once since it was started."""
    # Not ru_maxrss on Linux: a new program inherits that of the one which started it.
    if STATUS.is_file():
        line = next(one for one in STATUS.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
