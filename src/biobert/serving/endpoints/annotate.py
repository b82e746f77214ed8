"""`/v1/annotate`: entities, or whatever a model for documents finds, in JSON and other formats."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document
from biobert.pipeline.annotator import Annotator
from biobert.serving.admission import Load
from biobert.serving.answers import DocumentsAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import (
    MEDIA_TYPES,
    OWN,
    PUBTATOR,
    TEXT,
    Formats,
    formats_of,
    read_body,
    written,
)
from biobert.serving.models import Served
from biobert.serving.routing import JSON, ReadRequest, check_query, guarded
from biobert.serving.schema import EXAMPLE, AnnotateRequest, Score
from biobert.serving.service import Service, service_of
from biobert.tasks.multitask import Multitask
from biobert.tasks.ner import NamedEntityRecognition

ROUTES = guarded(others={406: "No format is written here that Accept names."})
NEED = "a model that was trained for 'ner', or `embedded`"
IN_BODY = frozenset({"format"})
IN_QUERY = IN_BODY | {"model", "minimum_score", "labels", "deidentify"}
FIRST = (NamedEntityRecognition.name, Multitask.name)
ANSWER: dict[str, Any] = {
    "model": {"name": "entities", "version": "1", "digest": "0123456789abcdef"},
    "documents": [
        {
            "id": "1",
            "text": EXAMPLE,
            "entities": [
                {"start": 0, "end": 7, "label": "Chemical", "score": 0.99, "text": "Aspirin"}
            ],
        }
    ],
}


ANSWERS: dict[str, Any] = {
    **{media_type: {} for media_type in MEDIA_TYPES.values()},
    JSON: {"example": ANSWER},
}


def _schema() -> dict[str, Any]:
    """Of the JSON body; what it refers to stands with the schema of `/v1/relations`."""
    schema = AnnotateRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    return {name: value for name, value in schema.items() if name != "$defs"}


BODY: dict[str, Any] = {
    "application/json": {
        "schema": _schema(),
        "example": {"text": EXAMPLE, "minimum_score": 0.5},
    },
    "text/plain": {"schema": {"type": "string"}, "example": EXAMPLE},
    "text/plain; format=pubtator": {
        "schema": {"type": "string"},
        "example": f"1|t|{EXAMPLE}\n1|a|No ulcers were seen.\n",
    },
    "application/json; format=bioc-json": {"schema": {"type": "object"}},
    "application/xml": {"schema": {"type": "string"}},
    "application/xml; format=pubmed": {"schema": {"type": "string"}},
    "application/xml; format=jats": {"schema": {"type": "string"}},
    "application/pdf": {"schema": {"type": "string", "format": "binary"}},
}


@ROUTES.post(
    "/v1/annotate",
    summary="Annotate texts",
    openapi_extra={"requestBody": {"required": True, "content": BODY}},
    response_class=Response,
    responses=answers(DocumentsAnswer, content=ANSWERS),
)
async def annotate(
    request: Request,
    format: Annotated[str | None, Query(description="Of the body and the answer.")] = None,
    model: str | None = None,
    minimum_score: Score = 0.0,
    labels: Annotated[list[str] | None, Query()] = None,
    deidentify: bool = False,
) -> Response:
    """The texts with what a model finds in them, as `biobert annotate` finds it.

    JSON says everything in the body; for all other formats the query says it.
    """
    assert isinstance(request, ReadRequest)
    service, formats = service_of(request), formats_of(request, format)
    content = request.content
    check_query(request, IN_BODY if formats.given == OWN else IN_QUERY)
    if formats.given == OWN:
        asked = AnnotateRequest.model_validate(await request.json())
        documents = asked.as_documents()
        load = service.check_texts([one.text for one in documents])
        return await _annotated(service, request, asked, formats, lambda: documents, load)
    asked = AnnotateRequest(
        text="", model=model, minimum_score=minimum_score, labels=labels, deidentify=deidentify
    )
    # Read in the job's thread: its size is all that is known before.
    characters = len(content)
    if formats.given not in (TEXT, PUBTATOR):
        # Many of its bytes are no text. How many, is seen when it was read.
        characters = min(characters, service.settings.limits.characters)

    def read() -> list[Document]:
        return read_body(content, formats.given, service.processes)

    return await _annotated(service, request, asked, formats, read, Load(1, characters))


async def _annotated(
    service: Service,
    request: Request,
    asked: AnnotateRequest,
    formats: Formats,
    read: Callable[[], list[Document]],
    load: Load,
) -> Response:
    served = _model(service, asked.model)

    def work(job: Job) -> Response:
        documents = read()
        service.queue.check_size(service.check_texts([one.text for one in documents]))
        documents = service.without_persons(documents, asked, job)
        model = served.documents(service.batcher, job)
        service.check_pairs(documents, model.task, job)
        annotator = Annotator(
            model,
            minimum_score=asked.minimum_score,
            labels=asked.labels,
        )
        found = list(annotator.annotate_many(documents))
        service.note(request, [served], job, found)
        return written(found, served.identity.shown(), formats.wanted)

    return await service.run(request, load, work)


def _model(service: Service, name: str | None) -> Served:
    """By name any model for documents; else one that finds entities."""
    if name is not None:
        return service.models.choose(name, lambda one: one.use == "documents", need=NEED)
    return service.models.choose(None, lambda one: one.identity.task in FIRST, need=NEED)
