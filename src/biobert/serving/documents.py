"""Requests about documents: JSON that says all, or a format of the field with a query."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request

from biobert.core.document import Document
from biobert.data.formats.jsonl import document_from_json
from biobert.serving.admission import Load
from biobert.serving.batching import Job
from biobert.serving.content import (
    BRAT,
    MEDIA_TYPES,
    OWN,
    PUBTATOR,
    TEXT,
    Formats,
    content_of,
    formats_of,
    read_body,
)
from biobert.serving.routing import JSON, ReadRequest, check_query
from biobert.serving.schema import (
    EXAMPLE,
    AnnotateRequest,
    ClassifyRequest,
    ConvertRequest,
    RelationsRequest,
    TextsRequest,
)
from biobert.serving.service import Service, service_of

R = TypeVar("R", bound=TextsRequest)
IN_BODY = frozenset({"text", "documents"})
"""What no query says."""
FORMAT = "format"
FormatQuery = Annotated[str | None, Query(description="Of the body and the answer.")]
REFERENCE = "#/components/schemas/{model}"
AS_INPUT = "{model}-Input"
BIOC_JSON = {"documents": [{"id": "1", "passages": [{"offset": 0, "text": EXAMPLE}]}]}
BIOC_XML = (
    "<collection><source/><date/><key/><document><id>1</id><passage><offset>0</offset>"
    f"<text>{EXAMPLE}</text></passage></document></collection>"
)
PUBMED = (
    "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>"
    f"{EXAMPLE}</ArticleTitle></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"
)
JATS = (
    "<article><front><article-meta><article-id pub-id-type='pmid'>1</article-id><abstract><p>"
    f"{EXAMPLE}</p></abstract></article-meta></front></article>"
)
BODIES: dict[str, Any] = {
    "text/plain": {"schema": {"type": "string"}, "example": EXAMPLE},
    "text/plain; format=pubtator": {
        "schema": {"type": "string"},
        "example": f"1|t|{EXAMPLE}\n1|a|No ulcers were seen.\n",
    },
    # No `example`: checkers send it, and hold the answer, which is BioC JSON too, for our own.
    "application/json; format=bioc-json": {
        "schema": {"type": "object", "description": f"Such as {json.dumps(BIOC_JSON)}"}
    },
    "application/xml": {"schema": {"type": "string"}, "example": BIOC_XML},
    "application/xml; format=pubmed": {"schema": {"type": "string"}, "example": PUBMED},
    "application/xml; format=jats": {"schema": {"type": "string"}, "example": JATS},
    "application/pdf": {"schema": {"type": "string", "format": "binary"}},
}

WITHOUT_EXAMPLE = (OWN, BRAT, "html")
"""Our own JSON has one already, a packed folder is no text, and a page is long."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[R]):
    """What a request wishes, and of what size its documents are, as far as it is known unread."""

    wishes: R
    formats: Formats
    load: Load
    read: Callable[[Job], list[Document]]

    def documents(self, service: Service, job: Job) -> list[Document]:
        """The documents, within limits, and without persons where that is wished."""
        documents = self.read(job)
        job.hold(service.check_texts([one.text for one in documents]))
        return service.without_persons(documents, self.wishes, job)


async def asked_of(
    request: Request,
    format: str | None,
    in_query: R,
    written: Collection[str] = tuple(MEDIA_TYPES),
) -> Asked[R]:
    """What a request asks: JSON says everything in its body, other formats have `in_query`.

    `written` are the formats that hold the answer. Raises Refusal as `formats_of` does, and for
    what is in a query and not read.
    """
    assert isinstance(request, ReadRequest)
    service, formats = service_of(request), formats_of(request, format, written)
    if formats.given == OWN:
        check_query(request, frozenset({FORMAT}))

        def say(value: Any) -> Asked[R]:
            wishes = type(in_query).model_validate(value)
            documents = wishes.as_documents()
            load = service.check_texts([one.text for one in documents])
            return Asked(wishes, formats, load, lambda _: documents)

        return await request.made(say)
    check_query(request, type(in_query).model_fields.keys() - IN_BODY | {FORMAT})
    # Read in the job's thread: its size is all that is known before.
    content = request.content
    characters = len(content)
    if formats.given not in (TEXT, PUBTATOR):
        # Many of its bytes are no text. How many, is seen when it was read.
        characters = min(characters, service.settings.limits.characters)

    def read(job: Job) -> list[Document]:
        return read_body(content, formats.given, service.processes, job)

    return Asked(in_query, formats, Load(1, characters), read)


def bodies(kind: type[TextsRequest]) -> dict[str, Any]:
    """The bodies that are read, for the OpenAPI document."""
    return _body({JSON: _own(kind, {"text": EXAMPLE}), **BODIES})


def own_body(kind: type[BaseModel], example: Any) -> dict[str, Any]:
    """The same where only our own JSON is read."""
    return _body({JSON: _own(kind, example)})


def _body(content: Mapping[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}


def _own(kind: type[BaseModel], example: Any) -> dict[str, Any]:
    return {"schema": {"$ref": REFERENCE.format(model=kind.__name__)}, "example": example}


def add_examples(paths: Mapping[str, Any]) -> None:
    """Show each answer in our own JSON, in the paths of an OpenAPI document, in other formats."""
    for operation in (one for path in paths.values() for one in path.values()):
        content = operation["responses"].get("200", {}).get("content", {})
        for format, kind in MEDIA_TYPES.items():
            if kind in content and format not in WITHOUT_EXAMPLE:
                content[kind]["example"] = _example(content[JSON]["example"]["documents"], format)


def _example(rows: Sequence[Mapping[str, Any]], format: str) -> Any:
    documents = [document_from_json({"text": EXAMPLE, **row}) for row in rows]
    text = content_of(documents, format).decode("utf-8")
    return json.loads(text) if MEDIA_TYPES[format].startswith(JSON) else text


def schemas() -> dict[str, Any]:
    """The schemas of the JSON bodies, which FastAPI does not know."""
    kinds = (AnnotateRequest, RelationsRequest, ClassifyRequest)
    _, found = models_json_schema([(one, "validation") for one in kinds], ref_template=REFERENCE)
    # Its documents are those of answers, of which FastAPI knows how they are written.
    convert = ConvertRequest.model_json_schema(ref_template=REFERENCE.format(model=AS_INPUT))
    parts = {AS_INPUT.format(model=name): one for name, one in convert.pop("$defs").items()}
    return {**found["$defs"], **parts, ConvertRequest.__name__: convert}
