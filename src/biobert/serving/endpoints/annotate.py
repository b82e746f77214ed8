"""`/v1/annotate`: entities, or whatever a model for documents finds, in JSON and other formats."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document
from biobert.pipeline.annotator import Annotator
from biobert.serving.answers import DocumentsAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import MEDIA_TYPES, written
from biobert.serving.documents import FormatQuery, asked_of, bodies
from biobert.serving.models import Served, reads_texts, task_named, trained_for
from biobert.serving.routing import guarded
from biobert.serving.schema import AnnotateRequest, Score
from biobert.serving.service import Service, service_of
from biobert.tasks.ner import NamedEntityRecognition

ROUTES = guarded(others={406: "No format is written here that Accept names."})
NEED = "a model that was trained for 'ner', or `embedded`"


@ROUTES.post(
    "/v1/annotate",
    summary="Annotate texts",
    response_class=Response,
    responses=answers(DocumentsAnswer, MEDIA_TYPES),
    openapi_extra=bodies(AnnotateRequest),
)
async def annotate(
    request: Request,
    format: FormatQuery = None,
    model: str | None = None,
    minimum_score: Score = 0.0,
    labels: Annotated[list[str] | None, Query()] = None,
    deidentify: bool = False,
) -> Response:
    """The texts with what a model finds in them, as `biobert annotate` finds it.

    JSON says everything in the body; for all other formats the query says it.
    """
    in_query = AnnotateRequest(
        text="", model=model, minimum_score=minimum_score, labels=labels, deidentify=deidentify
    )
    service, asked = service_of(request), await asked_of(request, format, in_query)
    wishes = asked.wishes
    served = _model(service, wishes.model)

    def work(job: Job) -> Response:
        documents = asked.documents(service, job)
        # A multitask that knows pairs or questions too has nothing to say of them here.
        wanted = reads_texts if any(map(reads_texts, served.tasks)) else None
        model = served.documents(service.batcher, job, wanted)
        service.check_pairs(documents, model.task, job)
        seen: list[Document] = []
        annotator = Annotator(
            model, minimum_score=wishes.minimum_score, labels=wishes.labels, watch=seen.append
        )
        found = list(annotator.annotate_many(documents))
        service.note(request, [served], job, seen)
        return written(found, served.identity, asked.formats.wanted, job)

    return await service.run(request, [served], asked.load, work)


def _model(service: Service, name: str | None) -> Served:
    """By name any model for documents; else one that finds entities."""
    if name is not None:
        return service.models.choose(name, lambda one: one.use == "documents", need=NEED)
    wanted = trained_for(task_named(NamedEntityRecognition.name))
    return service.models.choose(None, wanted, need=NEED)
