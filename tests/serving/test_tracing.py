"""Traces: a span for each request with what it waited for, within the caller's, without texts."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from starlette.testclient import TestClient

pytest.importorskip("opentelemetry.sdk", reason="the extra [trace] is not installed")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from biobert.core.errors import BadInputError
from biobert.serving.http import build_service
from biobert.serving.settings import ServiceSettings, TracingSettings
from biobert.serving.tracing import Tracing
from tests.serving.conftest import serving
from tests.serving.texts import TEXTS

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FROM_CALLER = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
SENSITIVE = "Quetiapine"


@pytest.fixture(scope="module")
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(scope="module")
def traced(spans: InMemorySpanExporter) -> Iterator[TestClient]:
    application = build_service(ServiceSettings())
    application.state.service.tracing = Tracing(TracingSettings(share=0.0), spans)
    with TestClient(application, "http://localhost", raise_server_exceptions=False) as client:
        yield client


def of_request(
    client: TestClient, spans: InMemorySpanExporter, **options: object
) -> dict[str, list[ReadableSpan]]:
    """The spans of a request by name."""
    spans.clear()
    headers = {**FROM_CALLER, "x-request-id": "mine"}
    client.post("/v1/annotate", headers=headers, **options)  # type: ignore[arg-type]
    found: dict[str, list[ReadableSpan]] = {}
    for one in spans.get_finished_spans():
        found.setdefault(one.name, []).append(one)
    return found


def test_a_request_and_what_it_waited_for(traced: TestClient, spans: InMemorySpanExporter) -> None:
    found = of_request(traced, spans, json={"text": f"{SENSITIVE} {TEXTS[0]}"})
    (root,) = found.pop("POST /v1/annotate")
    assert found.keys() == {"queue", "batching", "inference"}
    assert root.parent is not None and f"{root.parent.span_id:016x}" == PARENT
    began = root.start_time or 0
    for (one,) in found.values():
        assert one.context is not None and f"{one.context.trace_id:032x}" == TRACE
        assert one.parent is not None and one.parent.span_id == root.context.span_id
        assert began - 1_000_000 <= (one.start_time or 0) <= (one.end_time or 0)
        assert (one.end_time or 0) <= (root.end_time or 0)
    (inference,) = found["inference"]
    assert dict(inference.attributes or {})["biobert.batch.requests"] == 1
    said = dict(root.attributes or {})
    assert said["http.response.status_code"] == 200 and said["biobert.request_id"] == "mine"
    assert str(said["biobert.model"]).startswith("entities 1 ")
    assert "error.type" not in said and root.status.is_unset


def test_a_large_request_waits_once_and_runs_often(
    traced: TestClient, spans: InMemorySpanExporter
) -> None:
    documents = [{"text": f"{TEXTS[1]} {number}"} for number in range(60)]
    found = of_request(traced, spans, json={"documents": documents})
    windows = [dict(one.attributes or {})["biobert.windows"] for one in found["inference"]]
    assert len(windows) > 1 and sum(map(int, windows)) >= 60  # type: ignore[arg-type]
    assert 1 <= len(found["batching"]) < len(windows)


def test_no_span_tells_what_was_sent(traced: TestClient, spans: InMemorySpanExporter) -> None:
    spans.clear()
    odd = FROM_CALLER | {"x-request-id": f"{SENSITIVE} ", "authorization": f"Bearer {SENSITIVE}"}
    for content in (SENSITIVE, f'{{"{SENSITIVE}": 1}}', f'{{"text": "{SENSITIVE} helps."}}'):
        for path in ("/v1/annotate", f"/v1/annotate?{SENSITIVE}=1", f"/{SENSITIVE}"):
            traced.post(path, content=content, headers=odd)
    traced.request(SENSITIVE.upper(), "/livez", headers=odd)
    written = "".join(one.to_json() for one in spans.get_finished_spans())
    assert "inference" in written and SENSITIVE.lower() not in written.lower()


def test_a_refusal_is_named_and_no_error_of_the_server(
    traced: TestClient, spans: InMemorySpanExporter
) -> None:
    ((root,),) = of_request(traced, spans, json={"txt": "a"}).values()
    said = dict(root.attributes or {})
    assert (said["http.response.status_code"], said["error.type"]) == (422, "invalid")
    assert root.status.is_unset


def test_a_share_is_traced_but_what_the_caller_traces(
    traced: TestClient, spans: InMemorySpanExporter
) -> None:
    spans.clear()
    traced.get("/livez")
    traced.get("/livez", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    traced.get("/livez", headers={"traceparent": "nonsense"})
    assert not spans.get_finished_spans()
    traced.get("/livez", headers=FROM_CALLER)
    assert [one.name for one in spans.get_finished_spans()] == ["GET /livez"]


def test_a_collector_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}/v1/traces"
        with serving(tracing={"endpoint": endpoint, "name": "ward-7"}) as client:
            assert client.post("/v1/annotate", json={"text": TEXTS[0]}).is_success
        server.shutdown()
    (resource,) = ExportTraceServiceRequest.FromString(b"".join(got)).resource_spans
    names = [span.name for scope in resource.scope_spans for span in scope.spans]
    assert sorted(names) == ["POST /v1/annotate", "batching", "inference", "queue"]
    assert resource.resource.attributes[0].value.string_value == "ward-7"


def test_a_collector_that_is_away_holds_nothing_up() -> None:
    began = time.monotonic()
    with serving(tracing={"endpoint": "http://127.0.0.1:9/v1/traces"}) as client:
        assert client.post("/v1/annotate", json={"text": TEXTS[0]}).is_success
    assert time.monotonic() - began < 30.0


@pytest.mark.parametrize("tracing", [{"endpoint": "localhost:4318"}, {"share": 1.5}])
def test_settings_that_are_not_meant(tracing: dict[str, object]) -> None:
    with pytest.raises(BadInputError, match=r"\[tracing\]"):
        TracingSettings(**tracing)  # type: ignore[arg-type]
