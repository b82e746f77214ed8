"""Hostile and mistaken requests: a clean no in one shape, never a defect."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from biobert.core.document import Document
from biobert.serving.batching import Job, JobStoppedError
from biobert.serving.content import written
from biobert.serving.schema import PersonsRequest
from biobert.serving.service import Service
from tests.serving.conftest import figure, serving

JSON = {"content-type": "application/json"}
DEEP = b'{"text": ' + b"[" * 5000 + b"]" * 5000 + b"}"
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE c [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    b"<collection><document><id>1</id><passage><offset>0</offset><text>&b;</text></passage>"
    b"</document></collection>"
)
SECRETS = b'<!DOCTYPE c [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + BOMB.partition(b">]>")[2]


def error_of(found: Any, status: int) -> dict[str, Any]:
    """The error of an answer, which has the one shape."""
    assert found.status_code == status, found.text
    error: dict[str, Any] = found.json()["error"]
    assert {"code", "message", "request_id"} <= error.keys()
    assert error["request_id"] == found.headers["x-request-id"]
    return error


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"text": "\xff"}', 400),
        (b'{"text": NaN}', 400),
        (b'{"text": "\\ud800"}', 400),
        (DEEP, 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"text": 1}', 422),
        (b'{"text": ""}', 422),
        (b'{"text": " \\n"}', 422),
        (b'{"text": "a", "documents": []}', 422),
        (b'{"documents": []}', 422),
        (b'{"text": "a", "minimum_score": 1e999}', 422),
        (b'{"text": "a", "minimum_score": 2}', 422),
        (b'{"text": "a", "lables": ["Disease"]}', 422),
        (b'{"text": "a", "deidentify": 0}', 422),
        (b'{"text": "a", "deidentify": "off"}', 422),
        (b'{"text": "a", "minimum_score": "0.5"}', 422),
        (b'{"text": "a", "labels": ["Diseases"]}', 422),
        (b'{"text": "a", "model": "nowhere"}', 404),
        (b'{"documents": [{"text": "a", "id": "1\\n2|t|x"}]}', 422),
        (
            b'{"documents": [{"text": "a", "entities": [{"start": 0, "end": 9, "label": "X"}]}]}',
            422,
        ),
        (b'{"documents": [{"text": "a", "passages": [{"start": 2, "end": 1, "kind": "x"}]}]}', 422),
    ],
)
def test_bodies_that_are_no_requests(client: TestClient, content: bytes, status: int) -> None:
    error = error_of(client.post("/v1/annotate", content=content, headers=JSON), status)
    assert error["message"]


NO_OBJECT = "this must be a JSON object: {...}"


@pytest.mark.parametrize(
    ("path", "content", "place", "reason"),
    [
        ("/v1/annotate", b"[]", "body", NO_OBJECT),
        ("/v1/annotate", b"null", "body", NO_OBJECT),
        ("/v1/annotate", b'"a"', "body", NO_OBJECT),
        ("/v1/annotate", b'{"documents": [1]}', "documents.0", NO_OBJECT),
        ("/v1/annotate", b"{}", "body", "give either text or documents"),
        ("/v1/convert", b"[]", "body", NO_OBJECT),
        ("/v1/convert", b'{"documents": [1]}', "documents.0", NO_OBJECT),
        ("/v1/convert", b'{"documents": [{"id": "1", "text": "a", "metadata": 1}]}',
         "documents.0.metadata", NO_OBJECT),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_plain_words(
    client: TestClient, path: str, content: bytes, place: str, reason: str
) -> None:
    error = error_of(client.post(path, content=content, headers=JSON), 422)
    assert error["message"] == f"{place}: {reason}; see /openapi.json"
    assert error["details"] == [{"place": place, "reason": reason}]


@pytest.mark.parametrize(
    ("type", "content", "status", "words"),
    [
        ("text/plain", b"\xff\xfe", 400, "byte 0"),
        ("text/plain; charset=utf-16le", "Aspirin".encode("utf-16le"), 415, "send UTF-8"),
        ("text/plain", b"  ", 422, "empty"),
        ("text/plain; format=pubtator", b"no title\n", 422, "id|t|title"),
        ("text/plain; format=pubtator", b"1|t|A\n1|a|b\n1\t0\t9\tC\tD\n", 422, "at 3"),
        ("text/plain; format=pubtator", b"", 422, "no document"),
        ("application/xml", b"<collection>", 422, "not well-formed"),
        ("application/xml", b"\x00\x01", 422, "not well-formed"),
        ("application/xml", b"<other/>", 422, "no document"),
        ("application/xml", SECRETS, 422, ""),
        ("application/xml", BOMB, 422, ""),
        ("application/json; format=bioc-json", b"{}", 422, "passages"),
        ("application/json; format=bioc-json", b"true", 422, "no passages"),
        ("application/json; format=bioc-json", DEEP, 400, "recursion"),
        ("application/json; format=bioc-json", b'{"passages": [{"text": "\\ud800"}]}', 400, ""),
        (
            "application/json; format=bioc-json",
            b'{"passages": [{"offset": "x"}]}',
            422,
            "document 1",
        ),
        ("image/png", b"x", 415, "image/png"),
    ],
)
def test_bodies_of_other_formats(
    client: TestClient, type: str, content: bytes, status: int, words: str
) -> None:
    found = client.post("/v1/annotate", content=content, headers={"content-type": type})
    error = error_of(found, status)
    assert words in error["message"]
    told = str({**error, "request_id": ""})  # which is random: it may hold any four letters
    assert "root:" not in told and "aaaa" not in told


@pytest.fixture(scope="module")
def tiny_names(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a small model that finds persons."""
    from tests.tiny import write_tiny_model_folder

    folder = tmp_path_factory.mktemp("persons") / "names"
    return str(write_tiny_model_folder(folder, labels=["PERSON"]))


def test_rejects_name_their_places(client: TestClient) -> None:
    body = b"1|t|Aspirin helps\n1|a|x\n1\t0\t3\tXYZ\tDrug\nnonsense\n"
    found = client.post("/v1/annotate?format=pubtator", content=body)
    assert [one["place"] for one in error_of(found, 422)["details"]] == ["3", "4"]


def test_control_characters_are_blanks_in_xml(client: TestClient) -> None:
    headers = {**JSON, "accept": "application/xml"}
    content = b'{"text": "a\\u0001b"}'
    assert "<text>a b</text>" in client.post("/v1/annotate", content=content, headers=headers).text


def test_other_endpoints_are_as_strict(everything: TestClient) -> None:
    for path in ("classify", "relations", "infer", "similarity", "answer", "embed", "fill-mask"):
        for content in (b"{", DEEP, b'{"text": NaN}', b'"\\ud800"'):
            error_of(everything.post(f"/v1/{path}", content=content, headers=JSON), 400)
        error_of(everything.post(f"/v1/{path}", content=b"x", headers={"content-type": "a/b"}), 415)
        error_of(everything.post(f"/v1/{path}", json={}), 422)
    error_of(everything.post("/v1/fill-mask", json={"text": "no gap"}), 422)
    error_of(everything.post("/v1/fill-mask", json={"text": "[MASK] " * 600}), 422)
    error_of(everything.post("/v1/embed", json={"texts": []}), 422)
    error_of(everything.post("/rerank", json={"query": "fever", "texts": []}), 422)
    error_of(everything.post("/v1/fill-mask", json={"text": "a [MASK]", "top": "3"}), 422)
    error_of(everything.post("/embed", json={"inputs": "a", "normalize": False}), 422)
    shorter = error_of(everything.post("/embed", json={"inputs": "a", "dimensions": 64}), 422)
    assert "dimensions = 64" in shorter["message"]
    error_of(everything.post("/v1/infer", json={"pairs": [{"first": "a", "second": ""}]}), 422)


@pytest.mark.parametrize(
    "path", ["relations", "classify", "infer", "similarity", "answer", "embed", "fill-mask"]
)
def test_what_is_not_loaded_says_what_to_load(client: TestClient, path: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "infer": {"pairs": [{"first": "a", "second": "b"}]},
        "similarity": {"pairs": [{"first": "a", "second": "b"}]},
        "answer": {"question": "a", "context": "b"},
        "embed": {"texts": ["a"]},
    }
    found = client.post(f"/v1/{path}", json=bodies.get(path, {"text": "a"}))
    assert "--model NAME=FOLDER" in error_of(found, 404)["message"]


def test_ranking_takes_either_kind_of_model(client: TestClient) -> None:
    found = client.post("/rerank", json={"query": "fever", "texts": ["a"]})
    message = error_of(found, 404)["message"]
    assert "'similarity'" in message and "'embedding'" in message


def test_metrics_name_every_path_that_there_is(client: TestClient) -> None:
    for path in ("/", "/openapi.json", "/web/nothing.js", "/nothing", "/nothing/else"):
        client.get(path)
    head = 'biobert_request_seconds_count{endpoint="'
    lines = client.get("/metrics").text.splitlines()
    named = {one.removeprefix(head).partition('"')[0] for one in lines if one.startswith(head)}
    assert {"/", "/openapi.json", "/web/{name}", "unmatched"} <= named
    assert not any("nothing" in one for one in named)
    answered = f'{head}unmatched",status="200"'
    assert not any(one.startswith(answered) for one in lines)


def test_paths_and_methods_that_do_not_exist(client: TestClient) -> None:
    assert error_of(client.get("/v1/nothing"), 404)["code"] == "not-found"
    assert error_of(client.get("/v1/annotate"), 405)["code"] == "method-not-allowed"


def test_options_that_nobody_reads_are_refused(client: TestClient, everything: TestClient) -> None:
    text = {"content-type": "text/plain"}
    for found in (
        client.post("/v1/annotate?deidentify=true", json={"text": "a"}),
        client.post("/v1/annotate?deidentifi=true", content="a", headers=text),
        client.post("/v1/annotate?minimum_score=2", content="a", headers=text),
        everything.post("/v1/classify?deidentify=true", json={"text": "a"}),
    ):
        error_of(found, 422)


@pytest.mark.parametrize("format", ["json", "html", "bioc-json", "brat", "jsonl"])
def test_nothing_is_written_for_nobody(format: str) -> None:
    job = Job(30.0)
    job.stop()
    with pytest.raises(JobStoppedError):
        written([Document("1", "Aspirin.")], None, format, job)


def test_work_for_nobody_ends_with_the_text_at_hand(everything: TestClient) -> None:
    service: Service = everything.app.state.service  # type: ignore[attr-defined]
    job, asked = Job(30.0), PersonsRequest(deidentify=True)
    documents = [Document("1", "Aspirin.")]
    (related,) = (one for one in service.models.all() if one.identity.name == "relations")
    task = related.documents(service.batcher, job).task
    job.stop()
    for work in (
        lambda: service.without_persons(documents, asked, job),
        lambda: service.texts_without_persons(["Aspirin."], asked, job),
        lambda: service.check_pairs(documents, task, job),
    ):
        with pytest.raises(JobStoppedError):
            work()


def test_the_search_for_persons_ends_within_a_text(tiny_names: str) -> None:
    """The model of names is asked as the others are, together with them and for a job."""
    text = "Mrs. Sullivan rang. " * 3000
    with serving(deidentification={"names": tiny_names}) as client:
        service: Service = client.app.state.service  # type: ignore[attr-defined]
        job = Job(60.0, watch=lambda share: job.stop())
        with pytest.raises(JobStoppedError):
            service.without_persons([Document("1", text)], PersonsRequest(deidentify=True), job)
        assert figure(client, "biobert_batch_requests_count") >= 1.0


def test_nothing_is_taken_before_it_is_ready_and_while_it_stops() -> None:
    from biobert.serving.http import build_service
    from biobert.serving.settings import ServiceSettings

    service = build_service(ServiceSettings())
    before = TestClient(service, "http://localhost")
    assert before.get("/livez").status_code == 200
    for found in (before.get("/readyz"), before.post("/v1/annotate", json={"text": "a"})):
        assert error_of(found, 503)["code"] == "not-ready"
        assert found.headers["retry-after"] == "5"
    with TestClient(service, "http://localhost") as running:
        assert running.get("/readyz").status_code == 200
    assert error_of(before.post("/v1/annotate", json={"text": "a"}), 503)["code"] == "not-ready"
