"""`/v1/infer` and `/v1/similarity`: what one text says of another."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document
from biobert.core.task import Task
from biobert.pipeline.annotator import Annotator
from biobert.serving.answers import InferAnswer, SimilarityAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import answer_of
from biobert.serving.models import (
    Served,
    Wanted,
    first_alone,
    labels_documents,
    task_named,
    trained_for,
)
from biobert.serving.pairs import documents_of_pairs
from biobert.serving.routing import guarded
from biobert.serving.schema import PairsRequest
from biobert.serving.service import service_of
from biobert.tasks.similarity import SIMILARITY, Similarity, number_of

ROUTES = guarded()
COMPARES = task_named(Similarity.name)
NEED = "a model that was trained for 'classification' of pairs, such as inference, or for 'cloze'"
NEED_SIMILARITY = "a model that was trained for 'similarity'"


@ROUTES.post("/v1/infer", summary="Infer", response_class=Response, responses=answers(InferAnswer))
async def infer(request: Request, asked: PairsRequest) -> Response:
    """What follows from the first text of each pair for the second: labels and probabilities."""
    served = service_of(request).models.choose(asked.model, trained_for(is_for_pairs), need=NEED)
    found = await _found(request, asked, served, is_for_pairs)
    rows = [{"labels": one.labels, "scores": one.label_scores} for one in found]
    return answer_of(served.identity, pairs=rows)


@ROUTES.post(
    "/v1/similarity",
    summary="Compare",
    response_class=Response,
    responses=answers(SimilarityAnswer),
)
async def similarity(request: Request, asked: PairsRequest) -> Response:
    """How alike the texts of each pair are, on the annotators' scale and between 0 and 1."""
    served = service_of(request).models.choose(
        asked.model, trained_for(COMPARES), need=NEED_SIMILARITY
    )
    found = await _found(request, asked, served, COMPARES)
    rows: list[dict[str, Any]] = [
        {"similarity": number_of(one), "place": one.label_scores[SIMILARITY]} for one in found
    ]
    return answer_of(served.identity, pairs=rows)


def is_for_pairs(task: Task) -> bool:
    """Whether a task labels pairs of texts."""
    return labels_documents(task) and len(task.passages) == 2


async def _found(
    request: Request, asked: PairsRequest, served: Served, wanted: Wanted
) -> Sequence[Document]:
    service = service_of(request)
    load = service.check_texts([text for one in asked.pairs for text in (one.first, one.second)])

    def work(job: Job) -> list[Document]:
        pairs = [
            service.texts_without_persons([one.first, one.second], asked, job)
            for one in asked.pairs
        ]
        model = served.documents(service.batcher, job, first_alone(served, wanted))
        documents = documents_of_pairs(pairs, model.task.passages)
        found = list(Annotator(model).annotate_many(documents))
        service.note(request, [served], job, found)
        return found

    return await service.run(request, [served], load, work)
