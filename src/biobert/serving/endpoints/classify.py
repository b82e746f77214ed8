"""`/v1/classify`: labels of texts."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document, Passage
from biobert.pipeline.annotator import Annotator
from biobert.serving.answers import ClassifyAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import answer_of
from biobert.serving.models import Served, passages_of, trained_for
from biobert.serving.routing import guarded
from biobert.serving.schema import ClassifyRequest
from biobert.serving.service import service_of
from biobert.tasks.classification import Classification

ROUTES = guarded()
NEED = "a model that was trained for 'classification' of texts"


@ROUTES.post(
    "/v1/classify",
    summary="Label texts",
    response_class=Response,
    responses=answers(ClassifyAnswer),
)
async def classify(request: Request, asked: ClassifyRequest) -> Response:
    """The labels of each text, and the probability of every label that was weighed."""
    service = service_of(request)
    served = service.models.choose(asked.model, is_for_texts, need=NEED)
    documents = [_with_passage(one, served) for one in asked.as_documents()]
    load = service.check_texts([one.text for one in documents])

    def work(job: Job) -> Response:
        given = service.without_persons(documents, asked, job)
        found = list(Annotator(served.documents(service.batcher, job)).annotate_many(given))
        service.note(request, [served], job, found)
        rows = [{"id": one.id, "labels": one.labels, "scores": one.label_scores} for one in found]
        return answer_of(served.identity, documents=rows)

    return await service.run(request, load, work)


def is_for_texts(served: Served) -> bool:
    """Whether a model labels texts, and not pairs of them."""
    return trained_for(Classification.name)(served) and len(passages_of(served)) < 2


def _with_passage(document: Document, served: Served) -> Document:
    """The whole text as the passage that the model reads, where it is a certain one."""
    kinds = {one.kind for one in document.passages}
    passages = [Passage(0, len(document.text), one) for one in passages_of(served)]
    if any(one.kind in kinds for one in passages):
        return document
    return replace(document, passages=(*document.passages, *passages))
