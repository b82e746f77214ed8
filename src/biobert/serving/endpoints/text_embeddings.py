"""`/embed` and `/rerank`: for clients of Hugging Face text-embeddings-inference."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document
from biobert.pipeline.annotator import Annotator
from biobert.serving.answers import TeiEmbedAnswer, TeiRerankAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import json_response
from biobert.serving.endpoints.embed import NEED, gives_vectors
from biobert.serving.models import Served, first_alone, task_named, trained_for
from biobert.serving.pairs import documents_of_pairs
from biobert.serving.refusals import invalid
from biobert.serving.routing import guarded
from biobert.serving.schema import TeiEmbedRequest, TeiRerankRequest
from biobert.serving.service import Service, service_of
from biobert.tasks.similarity import SIMILARITY, Similarity, number_of

ROUTES = guarded()
COMPARES = task_named(Similarity.name)
NEED_TO_RANK = f"a model that was trained for {Similarity.name!r}, or {NEED}"


@ROUTES.post(
    "/embed",
    summary="Give vectors as text-embeddings-inference",
    response_class=Response,
    responses=answers(TeiEmbedAnswer),
)
async def embed(request: Request, asked: TeiEmbedRequest) -> Response:
    """A list of vectors of length 1; nothing is truncated, whatever `truncate` says."""
    if not asked.normalize:
        raise invalid("normalize = false: the vectors here have length 1; leave it out")
    if asked.prompt_name is not None:
        raise invalid(f"prompt_name {asked.prompt_name!r}: models here have no prompts")
    if asked.dimensions is not None:
        raise invalid(f"dimensions = {asked.dimensions}: vectors here are whole; leave it out")
    service = service_of(request)
    served = service.models.choose(None, gives_vectors, need=NEED)
    inputs = [asked.inputs] if isinstance(asked.inputs, str) else asked.inputs
    load = service.check_texts(inputs)

    def work(job: Job) -> Response:
        texts = service.texts_without_persons(inputs, asked, job)
        found = served.embedder(service.batcher, job).embed_many(texts)
        vectors = [one.tolist() for one in found]
        service.note(request, [served], job, [Document("", text) for text in texts])
        return json_response(vectors)

    return await service.run(request, [served], load, work)


@ROUTES.post(
    "/rerank",
    summary="Rank texts as text-embeddings-inference",
    response_class=Response,
    responses=answers(TeiRerankAnswer),
)
async def rerank(request: Request, asked: TeiRerankRequest) -> Response:
    """The texts, nearest to the query first: by a model of similarity, else by vectors.

    Scores lie between 0 and 1; raw ones are the annotators' scale, or the cosine.
    """
    service = service_of(request)
    is_similarity = trained_for(COMPARES)
    served = service.models.choose(
        None, lambda one: is_similarity(one) or gives_vectors(one), need=NEED_TO_RANK
    )
    compared = next((one for one in service.models.all() if is_similarity(one)), served)
    load = service.check_texts([asked.query, *asked.texts])

    def work(job: Job) -> Response:
        score = _compared if is_similarity(compared) else _cosines
        query, *texts = service.texts_without_persons([asked.query, *asked.texts], asked, job)
        raw, shares = score(service, compared, job, query, texts)
        service.note(request, [compared], job, [Document("", text) for text in texts])
        scores = raw if asked.raw_scores else shares
        rows: list[dict[str, Any]] = [
            {"index": number, "score": value}
            | ({"text": texts[number]} if asked.return_text else {})
            for number, value in enumerate(scores)
        ]
        return json_response(sorted(rows, key=lambda row: -row["score"]))

    return await service.run(request, [compared], load, work)


def _compared(
    service: Service, served: Served, job: Job, query: str, texts: Sequence[str]
) -> tuple[Sequence[float], Sequence[float]]:
    """The annotators' scale, and the place on it."""
    pairs = [(query, text) for text in texts]
    model = served.documents(service.batcher, job, first_alone(served, COMPARES))
    documents = documents_of_pairs(pairs, model.task.passages)
    found = list(Annotator(model).annotate_many(documents))
    return [number_of(one) for one in found], [one.label_scores[SIMILARITY] for one in found]


def _cosines(
    service: Service, served: Served, job: Job, query: str, texts: Sequence[str]
) -> tuple[Sequence[float], Sequence[float]]:
    """The cosines, and what they are between 0 and 1."""
    embedder = served.embedder(service.batcher, job)
    asked, *others = embedder.embed_many([query, *texts])
    cosines = np.stack(others) @ asked
    return cosines.tolist(), ((1.0 + cosines) / 2.0).tolist()
