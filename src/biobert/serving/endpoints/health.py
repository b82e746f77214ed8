"""`/livez`, `/readyz`, `/metrics`: for what watches over a service."""

from typing import Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from biobert.serving.routing import ERRORS, GuardedRoute, guarded
from biobert.serving.schema import ErrorAnswer
from biobert.serving.security import Access
from biobert.serving.service import Service, service_of

ALIVE, READY = "alive\n", "ready\n"
FIGURES = "# TYPE biobert_queue_documents gauge\nbiobert_queue_documents 0.0\n"


class _MetricsRoute(GuardedRoute):
    def access(self, service: Service) -> Access:
        return service.settings.security.metrics

    def check_connection(self, request: Request) -> None:
        # Too many connections are what these figures must show.
        del request


def _text(example: str) -> dict[str, Any]:
    """An answer in plain text, by an example."""
    return {"content": {"text/plain": {"example": example}}}


# Errors are JSON, and FastAPI would have them be what `response_class` says: so it says nothing.
_OPEN = APIRouter()
_METRICS = guarded(_MetricsRoute)


@_OPEN.head("/livez", include_in_schema=False)
@_OPEN.get(
    "/livez",
    summary="Is it alive?",
    response_class=PlainTextResponse,
    responses={200: _text(ALIVE)},
)
async def live() -> PlainTextResponse:
    """The process answers. Needs no key."""
    return PlainTextResponse(ALIVE)


@_OPEN.head("/readyz", include_in_schema=False)
@_OPEN.get("/health", include_in_schema=False)  # as text-embeddings-inference calls it
@_OPEN.get(
    "/readyz",
    summary="Is it ready?",
    response_class=Response,
    responses={200: _text(READY), 503: {"description": ERRORS[503], "model": ErrorAnswer}},
)
async def ready(request: Request) -> PlainTextResponse:
    """The models are loaded, keys can be read, and requests are taken; 503 otherwise. Needs no
    key."""
    service = service_of(request)
    service.check_open()
    service.gate.check_keys()
    return PlainTextResponse(READY)


@_METRICS.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: _text(FIGURES)},
)
async def metrics(request: Request) -> Response:
    """Counts and times of all workers."""
    text = service_of(request).metrics.text()
    return Response(text, media_type=CONTENT_TYPE_LATEST)


ROUTES = APIRouter()
ROUTES.include_router(_OPEN)
ROUTES.include_router(_METRICS)
