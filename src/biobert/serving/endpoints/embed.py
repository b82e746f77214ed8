"""`/v1/embed`: vectors of texts."""

from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document
from biobert.serving.answers import EmbedAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import answer_of
from biobert.serving.models import Served
from biobert.serving.routing import guarded
from biobert.serving.schema import EmbedRequest
from biobert.serving.service import service_of

ROUTES = guarded()
NEED = "a model that was trained for 'embedding', or an encoder with use = 'embed'"


@ROUTES.post(
    "/v1/embed", summary="Give vectors", response_class=Response, responses=answers(EmbedAnswer)
)
async def embed(request: Request, asked: EmbedRequest) -> Response:
    """A vector of length 1 for each text; long texts are read through windows, never cut."""
    service = service_of(request)
    served = service.models.choose(asked.model, gives_vectors, need=NEED)
    load = service.check_texts(asked.texts)

    def work(job: Job) -> Response:
        texts = service.texts_without_persons(asked.texts, asked, job)
        vectors = [one.tolist() for one in served.embedder(service.batcher, job).embed_many(texts)]
        service.note(request, [served], job, [Document("", text) for text in texts])
        return answer_of(served.identity, size=len(vectors[0]), vectors=vectors)

    return await service.run(request, [served], load, work)


def gives_vectors(served: Served) -> bool:
    """Whether a model gives vectors."""
    return served.use == "embed"
