"""What is too much: bounded while it comes, while it waits, and while it is answered."""

import gc
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from biobert.serving.admission import Load
from tests.serving.conftest import figure, serving
from tests.serving.test_refusals import JSON, error_of

MANY, MOST = 20_000, 1_000


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/v1/infer", {"pairs": [{}] * MOST}, "body.pairs.0.first"),
        ("/v1/embed", {"texts": [1] * MOST}, "body.texts.0"),
        ("/embed", {"inputs": [1] * MOST}, "body.inputs.str"),
        ("/v1/annotate", {"documents": [{}] * MOST}, "documents.0.text"),
        ("/v1/annotate", {"text": "a", **{f"k{number}": 1 for number in range(MANY)}}, "body"),
        (
            "/v1/classify",
            {"documents": [{"text": "a", "entities": [{}] * MANY}]},
            "documents.0.entities.0.start",
        ),
        (
            "/v1/convert",
            {"documents": [{"id": "1", "text": "a", "entities": [{}] * MANY}]},
            "documents.0.entities.0.start",
        ),
        (
            "/v1/convert",
            {
                "documents": [
                    {"id": "1", "text": "a", "metadata": dict.fromkeys(map(str, range(MANY)))}
                ]
            },
            "documents.0.metadata",
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


def test_a_full_queue_says_come_back(narrow: TestClient) -> None:
    body = {"documents": [{"text": "Aspirin helps."}] * 2}
    with ThreadPoolExecutor(4) as clients:
        found = list(clients.map(lambda _: narrow.post("/v1/annotate", json=body), range(4)))
    full = [one for one in found if one.status_code == 429]
    # One waits until its time is up; on a busy machine another may be asked after that.
    assert full and {one.status_code for one in found} == {429, 504}
    for one in full:
        assert error_of(one, 429)["code"] == "queue-full"
        assert int(one.headers["retry-after"]) >= 1


@pytest.fixture
def no_collection() -> Iterator[None]:
    """One of a process full of tests takes as long as a large body, and stops every thread."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
def test_a_large_body_holds_up_nobody_while_it_is_read(client: TestClient) -> None:
    """The last of its mentions is none: all that it costs is to read it."""
    entity = {"start": 0, "end": 5, "label": "Disease"}
    entities = [entity] * 30_000 + [{**entity, "end": 10_000}]
    body = json.dumps({"documents": [{"text": "a" * 10, "entities": entities}]})
    waits = []
    with ThreadPoolExecutor(1) as clients:
        began = time.monotonic()
        large = clients.submit(client.post, "/v1/annotate", content=body, headers=JSON)
        while not large.done():
            asked = time.monotonic()
            assert client.get("/livez").status_code == 200
            waits.append(time.monotonic() - asked)
        taken = time.monotonic() - began
    error_of(large.result(), 422)
    assert max(waits) < taken / 2, f"{max(waits)} of {taken} seconds"
