"""Traces for OpenTelemetry: a span for each request, its waiting and its batches; never a text."""

import time
from collections.abc import Mapping
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

from biobert.core.version import __version__
from biobert.serving.batching import BatchShare
from biobert.serving.settings import TracingSettings

SEND_SECONDS = 3.0
"""How long a collector that is away may hold up the end of the service."""
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
PARENT = ("traceparent", "tracestate")
FACTS = {
    "request_id": "biobert.request_id",
    "model": "biobert.model",
    "documents": "biobert.documents",
    "characters": "biobert.characters",
    "code": "error.type",
}


class Tracing:
    """Makes the spans of a process and sends them to a collector, in a thread of its own."""

    def __init__(self, settings: TracingSettings, exporter: SpanExporter | None = None) -> None:
        """`exporter` takes each span at once, instead of the collector that settings name."""
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(settings.share)),
            # Of the settings alone: neither the environment nor the host is looked at.
            resource=Resource({"service.name": settings.name, "service.version": __version__}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(settings.endpoint, timeout=SEND_SECONDS))
            if exporter is None
            else SimpleSpanProcessor(exporter)
        )
        self._tracer = self._provider.get_tracer("biobert.serving", __version__)

    def request(self, scope: Scope) -> "Trace":
        """The trace of a request that begins now, within the caller's where it names one."""
        given = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        carrier = {name: given[name] for name in PARENT if name in given}
        context = TraceContextTextMapPropagator().extract(carrier)
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        span = self._tracer.start_span(method, context, kind=SpanKind.SERVER)
        return Trace(self._tracer, span, method)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


class Trace:
    """The spans of one request. Times are those of `time.monotonic`."""

    def __init__(self, tracer: Tracer, span: Span, method: str) -> None:
        self._tracer = tracer
        self._span = span
        self._method = method
        # What the system's clock says is moved while a request runs; this is not.
        self._epoch_nanoseconds = time.time_ns() - time.monotonic_ns()

    @property
    def id(self) -> str:
        """The trace's number, as other services know it."""
        return f"{self._span.get_span_context().trace_id:032x}"

    def queued(self, began: float, ended: float) -> None:
        """The request waited for a thread."""
        self._add("queue", began, ended)

    def batch_was(self, share: BatchShare) -> None:
        """Rows of the request were in a batch."""
        if share.waited_from is not None:
            self._add("batching", share.waited_from, share.began)
        self._add(
            "inference",
            share.began,
            share.ended,
            **{
                "biobert.windows": share.windows,
                "biobert.batch.windows": share.batch.windows,
                "biobert.batch.tokens": share.batch.tokens,
                "biobert.batch.requests": share.batch.requests,
            },
        )

    def end(self, endpoint: str, status: int, facts: Mapping[str, Any]) -> None:
        """The request was answered; only a defect here is an error of the server."""
        self._span.update_name(f"{self._method} {endpoint}")
        self._span.set_attributes(
            {
                "http.request.method": self._method,
                "http.route": endpoint,
                "http.response.status_code": status,
                **{FACTS[name]: facts[name] for name in FACTS if name in facts},
            }
        )
        if status >= 500:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()

    def _add(self, name: str, began: float, ended: float, **figures: int) -> None:
        span = self._tracer.start_span(
            name,
            set_span_in_context(self._span),
            start_time=self._nanoseconds(began),
            attributes=figures,
        )
        span.end(self._nanoseconds(ended))

    def _nanoseconds(self, moment: float) -> int:
        return self._epoch_nanoseconds + int(moment * 1e9)
