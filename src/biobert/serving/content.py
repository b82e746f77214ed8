"""Bodies in the formats of the field: which one a request brings, which one it wants."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from threading import Semaphore
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document, Entity, Passage, Span
from biobert.core.errors import BadInputError
from biobert.core.files import InMemoryFile
from biobert.data.formats import brat, pdf
from biobert.data.formats.jsonl import document_to_json
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects
from biobert.serving.batching import Job
from biobert.serving.models import Identity
from biobert.serving.refusals import TOO_LARGE, Refusal, invalid, too_large
from biobert.serving.routing import (
    JSON,
    accepted,
    check_elements,
    content_type,
    is_utf8,
    strict_json,
)

OWN, TEXT, PUBTATOR, PDF, BRAT = "json", "text", "pubtator", "pdf", "brat"
BODY = "body"
MEDIA_TYPES = {
    OWN: "application/json",
    "jsonl": "application/x-ndjson",
    PUBTATOR: "text/plain; charset=utf-8; format=pubtator",
    "bioc-json": "application/json; format=bioc-json",
    "bioc-xml": "application/xml",
    BRAT: "application/zip",
    "html": "text/html; charset=utf-8",
    "conll": "text/plain; charset=utf-8; format=conll",
    "tsv": "text/tab-separated-values; charset=utf-8",
}
"""What answers are written in; BRAT is a folder, packed."""
HOLD_RELATIONS = tuple(one for one in MEDIA_TYPES if one not in ("conll", "tsv"))
HOLD_LABELS = (OWN, "jsonl", "bioc-json", "bioc-xml", "tsv")
READ = (OWN, PUBTATOR, "bioc-json", "bioc-xml", "pubmed", "jats", PDF)
"""What `?format=` calls a body; plain text has its content type."""
MOST_REPEATED, MOST_TIMES = 20_000_000, 10
"""How many characters the parts of the texts of an answer may have, or how many times the texts."""
IN_UTF8 = frozenset({TEXT, PUBTATOR, "bioc-json"})
"""XML says itself what it is written in, and our own JSON is parsed at once."""
BY_MEDIA_TYPE = {
    ("application/json", ""): OWN,
    ("application/json", "bioc-json"): "bioc-json",
    ("text/plain", ""): TEXT,
    ("text/plain", "pubtator"): PUBTATOR,
    ("application/xml", ""): "bioc-xml",
    ("text/xml", ""): "bioc-xml",
    ("application/xml", "bioc-xml"): "bioc-xml",
    ("application/xml", "pubmed"): "pubmed",
    ("application/xml", "jats"): "jats",
    ("application/pdf", ""): PDF,
    ("application/x-ndjson", ""): "jsonl",
    ("application/zip", ""): BRAT,
    ("text/html", ""): "html",
    ("text/plain", "conll"): "conll",
    ("text/tab-separated-values", ""): "tsv",
}
WELL_KNOWN = (
    "application/json, text/plain, text/plain; format=pubtator, application/xml (BioC; or "
    "format=pubmed, format=jats), application/pdf"
)


@dataclass(frozen=True, slots=True)
class Formats:
    """What a request brings and what it wants back."""

    given: str
    wanted: str


def formats_of(
    request: Request, named: str | None, written: Collection[str] = tuple(MEDIA_TYPES)
) -> Formats:
    """By `?format=`, else by Content-Type and Accept; without a wish the answer is like the body.

    `written` are the formats that hold the answer. Raises Refusal: 415 for a body, 406 for an
    answer in none of them.
    """
    if named is not None and named not in READ:
        raise invalid(f"format={named}: one of {', '.join(READ)}")
    kind, parameters = content_type(request)
    given = named or BY_MEDIA_TYPE.get((kind, parameters.get("format", "")))
    if given != TEXT and given not in READ:
        raise Refusal(415, "unsupported-media-type", f"content type {kind!r}: send {WELL_KNOWN}")
    if given in IN_UTF8 and not is_utf8(parameters):
        raise Refusal(415, "unsupported-media-type", f"charset {parameters['charset']}: send UTF-8")
    return Formats(given, wanted_format(request, written, given if given in written else OWN))


def wanted_format(
    request: Request, written: Collection[str] = tuple(MEDIA_TYPES), usual: str = OWN
) -> str:
    """The format that Accept asks for, or Refusal; `usual` where everything is welcome."""
    header = request.headers.get("accept", "*/*")
    for kind, parameters in accepted(header):
        if kind in ("*/*", "application/*") and "format" not in parameters:
            return usual
        wanted = BY_MEDIA_TYPE.get((kind, parameters.get("format", "")))
        if wanted is not None and wanted in written:
            return wanted
    known = ", ".join(MEDIA_TYPES[one] for one in written)
    raise Refusal(406, "not-acceptable", f"none of {header}; accept {known}")


def read_body(content: bytes, format: str, processes: Semaphore, job: Job) -> list[Document]:
    """The documents of a body that is not our own JSON; a PDF takes one of the `processes`.

    Raises Refusal: 400 for text that is not UTF-8, 413 for too many elements of JSON, 422 where a
    record cannot be read, with the place and the reason of each, 429 where all processes are taken.
    """
    if format == PDF:
        return _read_pdf(content, processes, job)
    return _read(content, format, job)


def _read_pdf(content: bytes, processes: Semaphore, job: Job) -> list[Document]:
    if not processes.acquire(blocking=False):
        raise Refusal(429, "queue-full", "other PDFs are being read; ask again", retry_after=2)
    try:
        (document,) = _read(content, PDF, job)
    finally:
        processes.release()
    return [replace(document, id="1")]


def _read(content: bytes, format: str, job: Job) -> list[Document]:
    if format in IN_UTF8:
        _check_utf8(content)
    if format == "bioc-json":
        # The reader forgives what must not come in: halves of surrogate pairs, deep nesting.
        check_elements(strict_json(content))
    if format == TEXT:
        return [Document("1", content.decode("utf-8-sig"))]
    rejects = Rejects()
    documents = list(job.each(_documents_of(InMemoryFile(BODY, content), format, rejects, job)))
    if rejects.count:
        first = rejects.kept[0]
        details = [{"place": one.place, "reason": one.reason} for one in rejects.kept]
        raise invalid(
            f"{rejects.count} records of the body cannot be read as {format} (at {first.place}: "
            f"{first.reason}); mend them, or leave them out",
            details,
        )
    if not documents:
        raise invalid(f"the body holds no document in {format}")
    return documents


def _documents_of(
    body: InMemoryFile, format: str, rejects: Rejects, job: Job
) -> Iterator[Document]:
    if format == PDF:
        # One document alone, for which another process may take a minute.
        return pdf.read(body, rejects, job.check)
    return read_documents(body, format, rejects)


def written(
    documents: Sequence[Document], identity: Identity | None, format: str, job: Job
) -> Response:
    """The answer in a format; in our own JSON it says which model gave it, if one did.

    Raises Refusal: 413 where passages and mentions that overlap would repeat the texts too often.
    """
    _check_repeated(documents)
    if format == OWN:
        shown_ones = [shown(one) for one in job.each(documents)]
        if identity is None:
            return json_response({"documents": shown_ones})
        return answer_of(identity, documents=shown_ones)
    try:
        content = content_of(job.each(documents), format)
    except ValueError as problem:
        # XML has no place for some control characters.
        raise invalid(f"this text cannot be written as {format}: {problem}") from None
    except BadInputError as problem:
        if problem.code == TOO_LARGE:
            raise too_large(str(problem)) from None
        raise
    return Response(content, media_type=MEDIA_TYPES[format])


def _check_repeated(documents: Sequence[Document]) -> None:
    """Every format writes the words of a passage, a mention or a sentence of evidence anew."""
    characters = sum(len(one.text) for one in documents)
    repeated = sum(part.end - part.start for one in documents for part in _parts(one))
    if repeated > max(MOST_REPEATED, MOST_TIMES * characters):
        raise too_large(
            f"texts of {characters} characters have passages, mentions and evidence of {repeated}; "
            "send fewer that overlap"
        )


def _parts(document: Document) -> Iterator[Passage | Entity | Span]:
    yield from document.passages
    yield from document.entities
    for relation in document.relations:
        yield from relation.evidence


def content_of(documents: Iterable[Document], format: str) -> bytes:
    """The documents in a format that is not our own JSON."""
    if format == BRAT:
        return _packed_pairs(documents)
    file = InMemoryFile(BODY)
    write_documents(documents, file, format)
    return file.content


def _packed_pairs(documents: Iterable[Document]) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as folder:
        for name, content in brat.files(documents):
            folder.writestr(name, content)
    return packed.getvalue()


def shown(document: Document) -> dict[str, Any]:
    """A document as JSON, each entity with its words."""
    values = document_to_json(document)
    for entity, one in zip(document.entities, values.get("entities", ()), strict=True):
        one["text"] = document.mention(entity)
    return values


def json_response(values: Any) -> Response:
    """A JSON answer, made where this is called: in the job's thread, not in the event loop."""
    content = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(content.encode(), media_type=JSON)


def answer_of(identity: Identity, **values: Any) -> Response:
    """A JSON answer that says which model gave it."""
    return json_response({"model": identity.shown(), **values})


def _check_utf8(content: bytes) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise Refusal(
            400, "bad-text", f"byte {problem.start} of the body is not UTF-8; send it as UTF-8"
        ) from None
