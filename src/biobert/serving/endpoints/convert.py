"""`/v1/convert`: annotated documents of an answer in another format."""

from starlette.requests import Request
from starlette.responses import Response

from biobert.serving.answers import ConvertedAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import MEDIA_TYPES, wanted_format, written
from biobert.serving.routing import guarded
from biobert.serving.schema import ConvertRequest
from biobert.serving.service import service_of

ROUTES = guarded(others={406: "No format is written here that Accept names."})


@ROUTES.post(
    "/v1/convert",
    summary="Write documents in another format",
    response_class=Response,
    responses=answers(ConvertedAnswer, MEDIA_TYPES),
)
async def convert(request: Request, asked: ConvertRequest) -> Response:
    """The documents in the format that `Accept` names; no model sees them."""
    service = service_of(request)
    format = wanted_format(request)
    load = service.check_texts([one.text for one in asked.documents])

    def work(job: Job) -> Response:
        return written(asked.documents, None, format, job)

    return await service.run(request, [], load, work)
