"""`/v1/fill-mask`: what a masked language model puts where a text says [MASK]."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from biobert.core.document import Document
from biobert.serving.answers import FillMaskAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import answer_of
from biobert.serving.routing import guarded
from biobert.serving.schema import FillMaskRequest
from biobert.serving.service import service_of

ROUTES = guarded()
NEED = "a BERT folder with its masked language model, with use = 'fill-mask'"


@ROUTES.post(
    "/v1/fill-mask", summary="Fill gaps", response_class=Response, responses=answers(FillMaskAnswer)
)
async def fill_mask(request: Request, asked: FillMaskRequest) -> Response:
    """The likeliest word pieces of each gap."""
    service = service_of(request)
    served = service.models.choose(asked.model, lambda one: one.use == "fill-mask", need=NEED)
    load = service.check_texts([asked.text])

    def work(job: Job) -> Response:
        (text,) = service.texts_without_persons([asked.text], asked, job)
        gaps = served.filler(service.batcher, job).fill(text, top=asked.top)
        service.note(request, [served], job, [Document("", text)])
        return answer_of(served.identity, text=text, gaps=[asdict(one) for one in gaps])

    return await service.run(request, [served], load, work)
