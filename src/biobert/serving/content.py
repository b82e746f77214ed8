"""Bodies in the formats of the field: which one a request brings, which one it wants."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document
from biobert.core.files import Memory
from biobert.data.formats.jsonl import document_to_json
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects
from biobert.serving.models import Identity
from biobert.serving.refusals import Refusal, invalid
from biobert.serving.routing import JSON, content_type, media_type, strict_json

OWN, TEXT = "json", "text"
BODY = "body"
MEDIA_TYPES = {
    OWN: "application/json",
    "pubtator": "text/plain; charset=utf-8; format=pubtator",
    "bioc-json": "application/json; format=bioc-json",
    "bioc-xml": "application/xml",
}
BY_MEDIA_TYPE = {
    ("application/json", ""): OWN,
    ("application/json", "bioc-json"): "bioc-json",
    ("text/plain", ""): TEXT,
    ("text/plain", "pubtator"): "pubtator",
    ("application/xml", ""): "bioc-xml",
    ("text/xml", ""): "bioc-xml",
    ("application/xml", "bioc-xml"): "bioc-xml",
}
WELL_KNOWN = "application/json, text/plain, text/plain; format=pubtator, application/xml (BioC)"


@dataclass(frozen=True, slots=True)
class Formats:
    """What a request brings and what it wants back."""

    given: str
    wanted: str


def formats_of(request: Request, named: str | None) -> Formats:
    """By `?format=`, else by Content-Type and Accept; without a wish the answer is like the body.

    Raises Refusal: 415 for a body, 406 for an answer in a format that is not known here.
    """
    if named is not None and named not in MEDIA_TYPES:
        raise invalid(f"format={named}: one of {', '.join(MEDIA_TYPES)}")
    kind, parameters = content_type(request)
    given = named or BY_MEDIA_TYPE.get((kind, parameters.get("format", "")))
    if given is None:
        raise Refusal(415, "unsupported-media-type", f"content type {kind!r}: send {WELL_KNOWN}")
    like_body = OWN if given == TEXT else given
    accepted = request.headers.get("accept", "*/*").split(",")
    for one in accepted:
        kind, parameters = media_type(one)
        if kind in ("*/*", "application/*") and "format" not in parameters:
            return Formats(given, like_body)
        wanted = BY_MEDIA_TYPE.get((kind, parameters.get("format", "")))
        if wanted in MEDIA_TYPES:
            return Formats(given, wanted)
    raise Refusal(406, "not-acceptable", f"none of {', '.join(accepted)}; accept {WELL_KNOWN}")


def read_body(content: bytes, format: str) -> list[Document]:
    """The documents of a body that is not our own JSON.

    Raises Refusal: 400 for text that is not UTF-8, 422 where a record cannot be read, with the
    place and the reason of each.
    """
    if format != "bioc-xml":
        _check_utf8(content)
    if format == "bioc-json":
        # The reader forgives what must not come in: halves of surrogate pairs, deep nesting.
        strict_json(content)
    if format == TEXT:
        return [Document("1", content.decode("utf-8-sig"))]
    rejects = Rejects()
    documents = list(read_documents(Memory(BODY, content), format, rejects))
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


def written(documents: Sequence[Document], identity: dict[str, Any], format: str) -> Response:
    """The answer in a format."""
    if format == OWN:
        return json_response({"model": identity, "documents": [shown(one) for one in documents]})
    file = Memory(BODY)
    try:
        write_documents(documents, file, format)
    except ValueError as problem:
        # XML has no place for some control characters.
        raise invalid(f"this text cannot be written as {format}: {problem}") from None
    return Response(file.content, media_type=MEDIA_TYPES[format])


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
