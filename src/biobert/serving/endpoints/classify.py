"""`/v1/classify`: labels of texts."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document, Passage
from biobert.core.task import Task
from biobert.pipeline.annotator import Annotator
from biobert.serving.answers import ClassifyAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import HOLD_LABELS, OWN, answer_of, written
from biobert.serving.documents import FormatQuery, asked_of, bodies
from biobert.serving.models import labels_documents, trained_for
from biobert.serving.routing import guarded
from biobert.serving.schema import ClassifyRequest
from biobert.serving.service import service_of
from biobert.tasks.multitask import tasks_in

ROUTES = guarded(others={406: "No format that holds labels is one that Accept names."})
NEED = "a model that was trained for 'classification' of texts, or for 'cloze'"


@ROUTES.post(
    "/v1/classify",
    summary="Label texts",
    response_class=Response,
    responses=answers(ClassifyAnswer, HOLD_LABELS),
    openapi_extra=bodies(ClassifyRequest),
)
async def classify(
    request: Request,
    format: FormatQuery = None,
    model: str | None = None,
    deidentify: bool = False,
) -> Response:
    """The labels of each text, and in JSON the probability of every label that was weighed.

    JSON says everything in the body; for all other formats the query says it.
    """
    in_query = ClassifyRequest(text="", model=model, deidentify=deidentify)
    service, asked = service_of(request), await asked_of(request, format, in_query, HOLD_LABELS)
    served = service.models.choose(asked.wishes.model, trained_for(is_for_texts), need=NEED)

    def work(job: Job) -> Response:
        model = served.documents(service.batcher, job, is_for_texts)
        documents = [_with_passages(one, model.task) for one in asked.documents(service, job)]
        found = list(Annotator(model).annotate_many(documents))
        service.note(request, [served], job, found)
        if asked.formats.wanted != OWN:
            return written(found, served.identity, asked.formats.wanted, job)
        rows = [{"id": one.id, "labels": one.labels, "scores": one.label_scores} for one in found]
        return answer_of(served.identity, documents=rows)

    return await service.run(request, [served], asked.load, work)


def is_for_texts(task: Task) -> bool:
    """Whether a task labels texts, and not pairs of them."""
    return labels_documents(task) and len(task.passages) < 2


def _with_passages(document: Document, task: Task) -> Document:
    """The whole text as each passage that is read and not there."""
    kinds = {one.kind for one in document.passages}
    wanted = {kind for one in tasks_in(task) for kind in one.passages}
    added = [Passage(0, len(document.text), kind) for kind in sorted(wanted - kinds)]
    return replace(document, passages=(*document.passages, *added))
