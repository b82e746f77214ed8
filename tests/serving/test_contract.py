"""The service keeps what its OpenAPI document promises, whatever it is sent.

`pytest tests/serving/test_contract.py --hypothesis-profile=explore` sends ten times as much;
`benchmarks/service_contract.py` asks a running service.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import requests
import schemathesis

# Left to itself it is first imported inside a test, where Python 3.11 fails to compile it if
# another thread writes a traceback meanwhile.
import schemathesis.specs.openapi.schemas
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from biobert.core.files import InMemoryFile
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from biobert.serving.content import MEDIA_TYPES
from biobert.serving.documents import WITHOUT_EXAMPLE
from biobert.serving.schema import EXAMPLE

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    # What the schema forbids is refused. What it allows may be refused too: an empty text, a model
    # that is not loaded, words without a gap.
    negative_data_rejection,
]
EXAMPLES = settings().max_examples // 10
SENT = ("method", "url", "headers", "json", "data", "params", "files")


def send(client: TestClient, case: Any) -> Any:
    """A generated request, as `requests` would put it on the wire."""
    given = case.as_transport_kwargs(base_url="http://localhost")
    wire = requests.Request(**{name: given[name] for name in SENT if name in given}).prepare()
    return client.request(
        str(wire.method), str(wire.url), content=wire.body or b"", headers=dict(wire.headers)
    )


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda one: one.value)
def test_what_is_promised_is_kept(everything: TestClient, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(everything.get("/openapi.json").json())
    asked: Counter[str] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            answer = send(everything, case)
            asked[case.operation.label] += 1
            case.validate_response(answer, checks=CHECKS)

        try:
            ask()
        except Unsatisfiable:
            # A request without parameters has nothing that could be wrong.
            assert mode is GenerationMode.NEGATIVE and operation.method == "get"
    assert asked["POST /v1/annotate"] == EXAMPLES and len(asked) > 12


TEXT = "Aspirin may cause gastric ulcers."
PAIRS = {"pairs": [{"first": TEXT, "second": TEXT}]}
ASKED: dict[str, Any] = {
    "/v1/annotate": {"text": TEXT},
    "/v1/relations": {"text": TEXT},
    "/v1/classify": {"text": TEXT},
    "/v1/convert": {"documents": [{"id": "1", "text": TEXT}]},
    "/v1/infer": PAIRS,
    "/v1/similarity": PAIRS,
    "/v1/answer": {"question": "What may aspirin cause?", "context": TEXT},
    "/v1/embed": {"texts": [TEXT]},
    "/v1/fill-mask": {"text": "Aspirin [MASK] fever."},
    "/v1/models": None,
    "/plain": {"text": TEXT},
    "/embed": {"inputs": TEXT},
    "/rerank": {"query": "fever", "texts": [TEXT], "return_text": True},
}


@pytest.mark.parametrize("path", ASKED)
def test_answers_are_as_the_document_says(everything: TestClient, path: str) -> None:
    schema = schemathesis.openapi.from_dict(everything.get("/openapi.json").json())
    method = "GET" if ASKED[path] is None else "POST"
    operation = schema[path][method]
    found = everything.request(method, path, json=ASKED[path])
    assert found.status_code == 200, found.text
    assert operation.definition.raw["responses"]["200"]["content"]["application/json"]["schema"]
    operation.validate_response(found)


def test_every_endpoint_is_asked(everything: TestClient) -> None:
    paths = everything.get("/openapi.json").json()["paths"]
    open_to_all = {"/livez", "/readyz", "/metrics"}
    assert paths.keys() - open_to_all - {"/v1/models/reload"} == ASKED.keys()


def examples_of(paths: dict[str, Any], schemas: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Path, content type and example of every body that the document describes; of BioC JSON it
    stands in the words."""
    for path, methods in paths.items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {})
        for kind, said in content.items():
            name = said["schema"].get("$ref", "").rpartition("/")[2]
            words = said["schema"].get("description", "").removeprefix("Such as ")
            fields = schemas.get(name, {}).get("properties", {})
            shown = {
                field: one["examples"][0] for field, one in fields.items() if "examples" in one
            }
            yield path, kind, said.get("example") or shown or words


def test_every_example_is_answered(everything: TestClient) -> None:
    document = everything.get("/openapi.json").json()
    found = list(examples_of(document["paths"], document["components"]["schemas"]))
    assert {path for path, _, _ in found} >= {path for path, body in ASKED.items() if body}
    for path, kind, example in found:
        if path == "/v1/models/reload" or kind.endswith("pdf"):
            continue
        content = example if isinstance(example, str) else json.dumps(example)
        answer = everything.post(path, content=content, headers={"content-type": kind})
        assert example and answer.status_code == 200, (path, kind, example, answer.text)


def test_every_answer_has_an_example_that_is_one(everything: TestClient) -> None:
    schema = schemathesis.openapi.from_dict(everything.get("/openapi.json").json())
    for path, body in ASKED.items():
        operation = schema[path]["GET" if body is None else "POST"]
        said = operation.definition.raw["responses"]["200"]["content"]["application/json"]
        asked = httpx2.Request(operation.method, f"http://testserver{path}")
        answer = httpx2.Response(200, json=said["example"], request=asked)
        answer.elapsed = timedelta()
        operation.validate_response(answer)


def test_answers_in_other_formats_have_examples_that_can_be_read(everything: TestClient) -> None:
    formats = {kind: name for name, kind in MEDIA_TYPES.items()}
    read: Counter[str] = Counter()
    for path, methods in everything.get("/openapi.json").json()["paths"].items():
        for kind, said in next(iter(methods.values()))["responses"]["200"]["content"].items():
            format = formats.get(kind)
            if format is None or format in WITHOUT_EXAMPLE:
                assert "example" in said or format in ("html", "brat")
                continue
            example = said["example"]
            content = example if isinstance(example, str) else json.dumps(example)
            rejects = Rejects()
            if format != "tsv":  # It holds what no reader wants back: texts without an entity.
                (document,) = read_documents(
                    InMemoryFile("example", content.encode()), format, rejects
                )
                assert document.text.strip() == EXAMPLE and not rejects.count, (path, kind)
                assert document.entities or document.labels, (path, kind)
            read[format] += 1
    assert read.keys() == MEDIA_TYPES.keys() - WITHOUT_EXAMPLE


def test_every_reference_of_the_schema_leads_somewhere(everything: TestClient) -> None:
    schema = everything.get("/openapi.json").json()

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from (one for key, one in value.items() if key == "$ref")
            for one in value.values():
                yield from references(one)
        elif isinstance(value, list):
            for one in value:
                yield from references(one)

    for reference in references(schema):
        assert reference.removeprefix("#/components/schemas/") in schema["components"]["schemas"]
