"""What Prometheus reads: counts and times, never texts."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

from biobert.serving.admission import Load
from biobert.serving.batching import BatchFigures, TokensRead

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
TOKENS = (32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384)

DONE, REFUSED = "done", "refused"
"""What comes of a reload."""


class Metrics:
    """The figures of a process; where `folder` is given, of all processes that share it."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        own = self._registry = CollectorRegistry()
        seconds = partial(Histogram, buckets=SECONDS, registry=own)
        sizes = partial(Histogram, buckets=SIZES, registry=own)
        count = partial(Counter, registry=own)
        total = partial(Gauge, multiprocess_mode="livesum", registry=own)
        highest = partial(Gauge, multiprocess_mode="livemax", registry=own)
        self.requests = seconds(
            "biobert_request_seconds",
            "Seconds from the head of a request to the end of its answer.",
            ["endpoint", "status"],
        )
        self.refusals = count("biobert_refusals", "Requests not answered, by code.", ["code"])
        self.queued_documents = total("biobert_queue_documents", "Texts that are not answered yet.")
        self.queued_characters = total(
            "biobert_queue_characters", "Characters that are not answered yet."
        )
        self.queue_share = highest(
            "biobert_queue_share",
            "Share of the queue's room that is taken, in texts or characters, the larger of both.",
        )
        self.batch_requests = sizes("biobert_batch_requests", "Requests in a batch.")
        self.batch_windows = sizes("biobert_batch_windows", "Rows in a batch.")
        self.batch_tokens = Histogram(
            "biobert_batch_tokens", "Word pieces in a batch.", buckets=TOKENS, registry=own
        )
        self.batch_seconds = seconds("biobert_batch_seconds", "Seconds a model took for a batch.")
        self.documents = count("biobert_documents", "Texts answered.", ["model"])
        self.characters = count("biobert_characters", "Characters answered.", ["model"])
        self.tokens = count(
            "biobert_tokens", "Word pieces read, special ones and overlaps too.", ["model"]
        )
        self.model_info = highest(
            "biobert_model_info",
            "1 for the model that answers under a name, 0 for one that did.",
            ["model", "task", "version", "digest"],
        )
        self.reloads = count("biobert_model_reloads", "Models loaded anew.", ["model", "outcome"])
        self.drift = highest(
            "biobert_input_drift",
            "Population stability index of the last texts against the first ones.",
            ["model", "feature"],
        )
        self.audit_failures = count(
            "biobert_audit_failures", "Lines of the audit log that were not written."
        )

    def queue_is(self, held: Load, share: float) -> None:
        """Note what waits, and which share of the room it takes."""
        self.queued_documents.set(held.documents)
        self.queued_characters.set(held.characters)
        self.queue_share.set(share)

    def batch_was(self, figures: BatchFigures) -> None:
        """Count a batch."""
        self.batch_requests.observe(figures.requests)
        self.batch_windows.observe(figures.windows)
        self.batch_tokens.observe(figures.tokens)
        self.batch_seconds.observe(figures.seconds)

    def answered(self, model: str, load: Load, read: TokensRead) -> None:
        """Count what a model answered."""
        self.documents.labels(model).inc(load.documents)
        self.characters.labels(model).inc(load.characters)
        self.tokens.labels(model).inc(read.tokens)

    def drift_is(self, model: str, scores: Mapping[str, float]) -> None:
        """Note how far the last texts of a model are from the first ones, by feature."""
        for feature, score in scores.items():
            self.drift.labels(model, feature).set(score)

    def expect_reloads(self, model: str) -> None:
        """Begin at 0: of a series that begins at 1 Prometheus sees no increase."""
        for outcome in (DONE, REFUSED):
            self.reloads.labels(model, outcome)

    def text(self) -> bytes:
        """The figures as Prometheus reads them."""
        if self._folder is None:
            return generate_latest(self._registry)
        _forget_dead(self._folder)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together, str(self._folder))  # type: ignore[no-untyped-call]
        return generate_latest(together)


def _forget_dead(folder: Path) -> None:
    """Gauges of workers that died do not count."""
    for file in folder.glob("gauge_live*_*.db"):
        number = file.stem.rpartition("_")[2]
        if number.isdigit() and not _is_alive(int(number)):
            multiprocess.mark_process_dead(int(number), str(folder))  # type: ignore[no-untyped-call]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
