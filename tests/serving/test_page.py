"""How the page is handed out, and what the service does for it."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any
from zipfile import ZipFile

import pytest
from starlette.testclient import TestClient

from biobert import Annotator
from biobert.core.document import Argument, Document, Entity, Relation, Span
from biobert.core.files import InMemoryFile
from biobert.data.formats.jsonl import document_from_json, document_to_json
from biobert.data.reading import write_documents
from biobert.serving.batching import Job, JobStoppedError
from biobert.serving.content import read_body
from tests.data.formats.pdfs import ENCRYPTED, pdf_of_lines
from tests.data.formats.test_pdf import forms_that_draw_one_another
from tests.serving.conftest import serving
from tests.serving.test_refusals import error_of

PARTS = {"style.css": "text/css", "page.js": "text/javascript", "text.js": "text/javascript"}
PDF = {"content-type": "application/pdf"}
ARTICLE = (
    "<article><front><article-meta><article-id pub-id-type='pmid'>7</article-id><title-group>"
    "<article-title>Aspirin helps.</article-title></title-group></article-meta></front></article>"
)
RECORD = (
    "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>7</PMID><Article><ArticleTitle>"
    "Aspirin helps.</ArticleTitle></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"
)
WHOLE = Document(
    "7",
    "Aspirin causes ulcers.",
    entities=(
        Entity(0, 7, "Chemical", ("mesh:D001241",), 0.9, id="T1"),
        Entity(15, 21, "Disease", score=0.8, fragments=(Span(15, 17), Span(19, 21)), id="T2"),
    ),
    relations=(
        Relation("causes", (Argument("a", "T1"), Argument("b", "T2")), 0.5, "R1", (Span(0, 22),)),
    ),
    metadata={"year": "2020"},
)


def test_the_page_is_open_and_guarded(client: TestClient) -> None:
    found = client.get("/")
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    policy = found.headers["content-security-policy"]
    for words in (
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self'",
        "base-uri 'none'",
    ):
        assert words in policy
    assert "unsafe" not in policy and "http" not in policy
    assert found.headers["x-content-type-options"] == "nosniff"
    assert (
        "style=" not in found.text
        and "<script>" not in found.text
        and "http:" not in (found.text.replace("http://www.w3.org/2000/svg", ""))
    )


@pytest.mark.parametrize(("name", "type"), PARTS.items())
def test_parts_of_the_page_are_kept_until_they_change(
    client: TestClient, name: str, type: str
) -> None:
    found = client.get(f"/web/{name}")
    assert found.headers["content-type"] == f"{type}; charset=utf-8"
    assert found.headers["cache-control"] == "no-cache"
    etag = found.headers["etag"]
    again = client.get(f"/web/{name}", headers={"if-none-match": f'"x", W/{etag}'})
    assert (again.status_code, again.content) == (304, b"") and again.headers["etag"] == etag
    assert client.head(f"/web/{name}").headers["etag"] == etag
    assert ".innerHTML" not in found.text and "eval(" not in found.text


@pytest.mark.parametrize("name", ["", "none.js", "..%2fhttp.py", "%2e%2e/http.py", "page.js%00"])
def test_nothing_else_is_handed_out(client: TestClient, name: str) -> None:
    error_of(client.get(f"/web/{name}"), 404)


def test_the_page_needs_no_key(tmp_path: Any) -> None:
    from biobert.serving.keys import create_key

    create_key(tmp_path / "keys.json", "reader")
    with serving(security={"keys": tmp_path / "keys.json"}) as client:
        assert client.get("/").status_code == client.get("/web/page.js").status_code == 200
        assert client.post("/v1/convert", json={}).status_code == 401


@pytest.mark.parametrize(
    ("format", "type", "content"),
    [
        ("pubmed", "application/xml; format=pubmed", RECORD),
        ("jats", "application/xml; format=jats", ARTICLE),
    ],
)
def test_articles_are_annotated(client: TestClient, format: str, type: str, content: str) -> None:
    by_type = client.post("/v1/annotate", content=content, headers={"content-type": type})
    named = client.post(f"/v1/annotate?format={format}", content=content)
    assert by_type.content == named.content
    (document,) = by_type.json()["documents"]
    assert (document["id"], document["text"]) == ("7", "Aspirin helps.")
    assert document["entities"][0]["text"] == "Aspirin"
    assert named.headers["content-type"] == "application/json"


def test_a_pdf_is_annotated(client: TestClient) -> None:
    content = pdf_of_lines([["Aspirin may cause gastric ul-", "cers in patients."]])
    (found,) = client.post("/v1/annotate", content=content, headers=PDF).json()["documents"]
    text = "Aspirin may cause gastric ulcers in patients."
    assert (found["id"], found["text"]) == ("1", text)
    expected = Annotator().annotate(text).entities
    assert document_from_json(found).entities == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.4", "damaged PDF"),
        (pdf_of_lines([["Aspirin."]], trailer=ENCRYPTED), "encrypted"),
        (pdf_of_lines([[]]), "text recognition"),
    ],
)
def test_pdfs_that_are_refused(client: TestClient, content: bytes, words: str) -> None:
    error = error_of(client.post("/v1/annotate", content=content, headers=PDF), 422)
    assert words in error["message"] and words in error["details"][0]["reason"]


def test_the_limits_hold_for_pdfs() -> None:
    content = pdf_of_lines([["Aspirin may cause gastric ulcers."]] * 3)
    limits: list[tuple[dict[str, int], int]] = [
        ({"body_bytes": len(content) - 1}, 413),
        ({"characters": 90}, 413),
    ]
    for limit, status in limits:
        with serving(limits=limit) as client:
            error_of(client.post("/v1/annotate", content=content, headers=PDF), status)


def test_a_pdf_that_nobody_waits_for_leaves_its_place() -> None:
    """Read on, it would keep others out for a minute."""
    places, job = BoundedSemaphore(1), Job(60.0)
    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(read_body, forms_that_draw_one_another(), "pdf", places, job)
        time.sleep(1.0)
        job.stop()
        with pytest.raises(JobStoppedError):
            reading.result(timeout=30.0)
    assert places.acquire(blocking=False)


def test_so_many_pdfs_are_read_at_once(client: TestClient) -> None:
    service: Any = client.app.state.service  # type: ignore[attr-defined]
    taken = 0
    while service.processes.acquire(blocking=False):
        taken += 1
    try:
        content = pdf_of_lines([["Aspirin."]])
        found = client.post("/v1/annotate", content=content, headers=PDF)
        assert error_of(found, 429)["code"] == "queue-full" and found.headers["retry-after"]
        assert client.post("/v1/annotate", json={"text": "Aspirin."}).status_code == 200
    finally:
        service.processes.release(taken)
    assert taken == service.settings.limits.pdfs


@pytest.mark.parametrize(
    ("format", "type"),
    [
        ("jsonl", "application/x-ndjson"),
        ("pubtator", "text/plain; format=pubtator"),
        ("bioc-json", "application/json; format=bioc-json"),
        ("bioc-xml", "application/xml"),
        ("html", "text/html"),
        ("conll", "text/plain; format=conll"),
        ("tsv", "text/tab-separated-values"),
    ],
)
def test_answers_become_files(client: TestClient, format: str, type: str) -> None:
    expected = InMemoryFile("body")
    write_documents([WHOLE], expected, format)
    body = {"documents": [document_to_json(WHOLE)]}
    found = client.post("/v1/convert", json=body, headers={"accept": type})
    assert found.content == expected.content
    as_json = client.post("/v1/convert", json=body).json()["documents"]
    assert document_from_json(as_json[0]) == WHOLE
    again = client.post("/v1/convert", json={"documents": as_json}, headers={"accept": type})
    assert again.content == expected.content


def test_pairs_of_brat_come_packed(client: TestClient, tmp_path: Path) -> None:
    documents = [WHOLE, replace(WHOLE, id="../a"), WHOLE]
    body = {"documents": [document_to_json(one) for one in documents]}
    found = client.post("/v1/convert", json=body, headers={"accept": "application/zip"})
    with ZipFile(BytesIO(found.content)) as packed:
        packed.extractall(tmp_path / "packed")
    write_documents(documents, tmp_path / "written", "brat")
    contents = [
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()}
        for name in ("packed", "written")
    ]
    assert contents[0] == contents[1] and len(contents[0]) == 6


@pytest.mark.parametrize(
    "change",
    [
        {"text": 1},
        {"text": ""},
        {"entities": [{"start": 0, "end": 99, "label": "X"}]},
        {"entities": [{"start": 0.5, "end": 2, "label": "X"}]},
        {"entities": [{"start": 0, "end": 2, "label": "X", "score": 7}]},
        {"entities": [{"start": 0, "end": 2, "label": "X", "fragments": [[0, 1]]}]},
        {"entities": [{"start": 0, "end": 2, "label": "X", "colour": "red"}]},
        {"entities": {"start": 0}},
        {"passages": [{"start": 5, "end": 2, "kind": "x"}]},
        {"relations": [{"label": "X", "arguments": [{"role": "a", "target": 1}]}]},
        {"relations": [{"label": "X", "arguments": [], "evidence": [{"start": 3, "end": 1}]}]},
        {"metadata": {"a": {}}},
        {"labels": "X"},
        {"provenance": []},
    ],
)
def test_documents_that_are_none(client: TestClient, change: dict[str, Any]) -> None:
    body = {"documents": [{"id": "1", "text": "Aspirin."} | change]}
    for type in ("application/x-ndjson", "text/plain; format=pubtator", "application/xml"):
        error_of(client.post("/v1/convert", json=body, headers={"accept": type}), 422)


def test_conversions_that_are_refused(client: TestClient) -> None:
    error_of(client.post("/v1/convert", json={"documents": []}), 422)
    body = {"documents": [{"id": "1", "text": "ab"}]}
    error_of(client.post("/v1/convert", json=body, headers={"accept": "application/pdf"}), 406)
    error_of(client.post("/v1/annotate?format=jsonl", content="{}"), 422)
    headers = {"content-type": "application/x-ndjson"}
    error_of(client.post("/v1/annotate", content="{}", headers=headers), 415)
