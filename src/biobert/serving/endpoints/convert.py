"""`/v1/convert`: annotated documents of an answer in another format."""

from starlette.requests import Request
from starlette.responses import Response

from biobert.serving.answers import ConvertedAnswer, answers
from biobert.serving.batching import Job
from biobert.serving.content import MEDIA_TYPES, wanted_format, written
from biobert.serving.documents import own_body
from biobert.serving.routing import ReadRequest, check_json, guarded
from biobert.serving.schema import ANNOTATED, ConvertRequest
from biobert.serving.service import service_of

ROUTES = guarded(others={406: "No format is written here that Accept names."})


@ROUTES.post(
    "/v1/convert",
    summary="Write documents in another format",
    response_class=Response,
    responses=answers(ConvertedAnswer, MEDIA_TYPES),
    openapi_extra=own_body(ConvertRequest, {"documents": [ANNOTATED]}),
)
async def convert(request: Request) -> Response:
    """The documents in the format that `Accept` names; no model sees them."""
    assert isinstance(request, ReadRequest)
    check_json(request)
    service, asked = service_of(request), await request.made(ConvertRequest.model_validate)
    format = wanted_format(request)
    load = service.check_texts([one.text for one in asked.documents])

    def work(job: Job) -> Response:
        return written(asked.documents, None, format, job)

    return await service.run(request, [], load, work)
