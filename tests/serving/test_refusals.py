"""Hostile and mistaken requests: a clean no in one shape, never a defect."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from biobert.core.document import Document
from biobert.serving.admission import Load
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
    assert "root:" not in found.text and "aaaa" not in found.text


@pytest.fixture(scope="module")
def tiny_names(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a small model that finds persons."""
    from tests.tiny import write_tiny_model_folder

    folder = tmp_path_factory.mktemp("persons") / "names"
    return str(write_tiny_model_folder(folder, labels=["PERSON"]))


MANY, MOST = 20_000, 1_000


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/v1/infer", {"pairs": [{}] * MOST}, "body.pairs.0.first"),
        ("/v1/embed", {"texts": [1] * MOST}, "body.texts.0"),
        ("/embed", {"inputs": [1] * MOST}, "body.inputs.str"),
        ("/v1/annotate", {"documents": [{}] * MOST}, "documents.0.text"),
        ("/v1/annotate", {"text": "a", **{f"k{number}": 1 for number in range(MANY)}}, ""),
        (
            "/v1/classify",
            {"documents": [{"text": "a", "entities": [{}] * MANY}]},
            "documents.0.entities.0.start",
        ),
        (
            "/v1/convert",
            {"documents": [{"id": "1", "text": "a", "entities": [{}] * MANY}]},
            "body.documents.0.entities.0.start",
        ),
        (
            "/v1/convert",
            {
                "documents": [
                    {"id": "1", "text": "a", "metadata": dict.fromkeys(map(str, range(MANY)))}
                ]
            },
            "body.documents.0.metadata",
        ),
    ],
)
def test_many_mistakes_cost_no_more_than_one(
    everything: TestClient, path: str, body: dict[str, Any], place: str
) -> None:
    """Collecting all of them would take seconds and gigabytes, while nobody else is answered."""
    details = error_of(everything.post(path, json=body), 422)["details"]
    assert details[0]["place"] == place and len(details) <= 3


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/infer", {"pairs": [{}] * (MOST + 1)}),
        ("/v1/embed", {"texts": [1] * (MOST + 1)}),
        ("/v1/annotate", {"documents": [{}] * (MOST + 1)}),
        ("/v1/classify", {"documents": [{"text": "a", "entities": [{}] * 100_000}]}),
    ],
)
def test_what_is_too_much_is_not_validated(
    everything: TestClient, path: str, body: dict[str, Any]
) -> None:
    """Valid objects by the hundred thousand take seconds, while nobody else is answered."""
    assert error_of(everything.post(path, json=body), 413)["code"] == "too-large"


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


def test_paths_and_methods_that_do_not_exist(client: TestClient) -> None:
    assert error_of(client.get("/v1/nothing"), 404)["code"] == "not-found"
    assert error_of(client.get("/v1/annotate"), 405)["code"] == "method-not-allowed"


@pytest.fixture(scope="module")
def narrow() -> Iterator[TestClient]:
    limits = {
        "body_bytes": 2000,
        "all_bodies_bytes": 2000,
        "characters": 100,
        "documents": 3,
        "request_seconds": 0.4,
    }
    batching = {"queued_documents": 3, "queued_characters": 400, "wait_milliseconds": 900.0}
    with serving(limits=limits, batching=batching) as client:
        yield client


def test_too_much_of_anything(narrow: TestClient) -> None:
    for body in (
        {"text": "a" * 101},
        {"documents": [{"text": "a"}] * 4},
        {"text": "a" * 3000},
    ):
        assert error_of(narrow.post("/v1/annotate", json=body), 413)["code"] == "too-large"


def test_only_the_texts_of_xml_are_weighed() -> None:
    def records(count: int, title: str) -> str:
        record = f"<MedlineCitation><PMID>1</PMID><Article><ArticleTitle>{title}</ArticleTitle>"
        record += "</Article></MedlineCitation><!-- " + "x" * 500 + " -->"
        article = f"<PubmedArticle>{record}</PubmedArticle>"
        return f"<PubmedArticleSet>{article * count}</PubmedArticleSet>"

    with serving(limits={"characters": 500}, batching={"queued_characters": 1000}) as client:
        sent = client.post("/v1/annotate?format=pubmed", content=records(5, "Aspirin helps."))
        assert len(sent.json()["documents"]) == 5
        large = client.post("/v1/annotate?format=pubmed", content=records(5, "Aspirin. " * 30))
        assert "the queue holds" in error_of(large, 413)["message"]


def test_a_body_without_a_length_is_bounded_while_it_comes(narrow: TestClient) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 1_000_000:
            sent += 1000
            yield b"a" * 1000

    found = narrow.post("/v1/annotate", content=endless(), headers=JSON)
    assert error_of(found, 413)["code"] == "too-large"


def test_options_that_nobody_reads_are_refused(client: TestClient, everything: TestClient) -> None:
    text = {"content-type": "text/plain"}
    for found in (
        client.post("/v1/annotate?deidentify=true", json={"text": "a"}),
        client.post("/v1/annotate?deidentifi=true", content="a", headers=text),
        client.post("/v1/annotate?minimum_score=2", content="a", headers=text),
        everything.post("/v1/classify?deidentify=true", json={"text": "a"}),
    ):
        error_of(found, 422)


def test_packed_bodies_are_refused(narrow: TestClient) -> None:
    found = narrow.post("/v1/annotate", content=b"x", headers={"content-encoding": "gzip", **JSON})
    error_of(found, 415)


def test_time_is_up(narrow: TestClient) -> None:
    """The batch waits longer for company than the request may take."""
    found = narrow.post("/v1/annotate", json={"text": "Aspirin helps."})
    assert error_of(found, 504)["code"] == "timeout"
    assert narrow.get("/metrics").text.count("biobert_queue_documents 0.0") == 1


NESTED = {
    "id": "1",
    "text": "word " * 600,
    "entities": [{"start": n, "end": 3000 - n, "label": "X"} for n in range(600)],
}


def test_mentions_in_each_other_make_no_page(everything: TestClient) -> None:
    """Each would be cut by all the others: a page of 300 MB for a body of 26 kB."""
    for path in ("/v1/convert", "/v1/relations"):
        body = {"documents": [NESTED]}
        found = everything.post(path, json=body, headers={"accept": "text/html"})
        error = error_of(found, 413)
        assert error["code"] == "too-large" and "lie in each other" in error["message"]
        assert everything.post(path, json=body).status_code == 200


@pytest.mark.parametrize("part", ["entities", "passages"])
@pytest.mark.parametrize("type", ["application/json", "text/html", "application/xml"])
def test_texts_are_not_repeated_without_bound(client: TestClient, part: str, type: str) -> None:
    rows = [{"start": 0, "end": 300_000, "label" if part == "entities" else "kind": "X"}] * 70
    body = {"documents": [{"id": "1", "text": "a" * 300_000, part: rows}]}
    found = client.post("/v1/convert", json=body, headers={"accept": type})
    assert "send fewer that overlap" in error_of(found, 413)["message"]
    body["documents"][0][part] = rows[:1]
    assert client.post("/v1/convert", json=body, headers={"accept": type}).status_code == 200


def test_elements_are_counted_in_every_json(client: TestClient) -> None:
    passages = b'{"passages": [{"text": "a", "annotations": [' + b"{}," * 100_000 + b"{}]}]}"
    found = client.post("/v1/annotate?format=bioc-json", content=passages, headers=JSON)
    assert "elements" in error_of(found, 413)["message"]


def test_what_a_body_brings_counts_once_it_is_read() -> None:
    """Six documents wait for company; there is room for ten."""
    body = "".join(f"{number}|t|Aspirin helps.\n{number}|a|It does.\n\n" for number in range(6))
    batching = {"queued_documents": 10, "wait_milliseconds": 900.0}
    with serving(batching=batching) as client, ThreadPoolExecutor(1) as clients:

        def ask() -> Any:
            return client.post("/v1/annotate?format=pubtator", content=body)

        first = clients.submit(ask)
        while figure(client, "biobert_queue_documents") != 6.0:
            assert not first.done()
        assert error_of(ask(), 429)["code"] == "queue-full"
        assert figure(client, "biobert_queue_share") == 0.6
        assert first.result().status_code == 200
        for name in ("documents", "characters", "share"):
            assert figure(client, f"biobert_queue_{name}") == 0.0


def test_a_queue_is_as_full_as_the_fuller_of_its_bounds() -> None:
    most = Load(documents=1_000, characters=2_000)
    assert Load(500, 20).share_of(most) == Load(1, 1_000).share_of(most) == 0.5


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


def test_a_full_queue_says_come_back(narrow: TestClient) -> None:
    body = {"documents": [{"text": "Aspirin helps."}] * 2}
    with ThreadPoolExecutor(4) as clients:
        found = list(clients.map(lambda _: narrow.post("/v1/annotate", json=body), range(4)))
    full = [one for one in found if one.status_code == 429]
    assert len(full) == 3 and {one.status_code for one in found} == {429, 504}
    for one in full:
        assert error_of(one, 429)["code"] == "queue-full"
        assert int(one.headers["retry-after"]) >= 1


def test_nothing_is_taken_before_it_is_ready_and_while_it_stops() -> None:
    from biobert.serving.http import build_service
    from biobert.serving.settings import ServiceSettings

    service = build_service(ServiceSettings())
    before = TestClient(service)
    assert before.get("/livez").status_code == 200
    for found in (before.get("/readyz"), before.post("/v1/annotate", json={"text": "a"})):
        assert error_of(found, 503)["code"] == "not-ready"
        assert found.headers["retry-after"] == "5"
    with TestClient(service) as running:
        assert running.get("/readyz").status_code == 200
    assert error_of(before.post("/v1/annotate", json={"text": "a"}), 503)["code"] == "not-ready"
