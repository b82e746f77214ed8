"""`/v1/models`: what is loaded, and loading it anew."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from biobert.serving.answers import ModelsAnswer, ReloadedAnswer, answers
from biobert.serving.content import json_response
from biobert.serving.models import Identity
from biobert.serving.routing import AdminRoute, GuardedRoute, guarded
from biobert.serving.schema import ReloadRequest
from biobert.serving.service import service_of

_LISTING = guarded(GuardedRoute)
_RELOADING = guarded(
    AdminRoute,
    {409: "The new model cannot be used, or by one replica alone; the old one goes on."},
)


@_LISTING.get(
    "/v1/models",
    summary="List the models",
    response_class=Response,
    responses=answers(ModelsAnswer),
)
async def list_models(request: Request) -> Response:
    """Name, task, version, labels and the digest of the files of every model."""
    models = service_of(request).models.all()
    return json_response({"models": [_shown(one.identity) for one in models]})


@_RELOADING.post(
    "/v1/models/reload",
    summary="Load a model anew",
    response_class=Response,
    responses=answers(ReloadedAnswer),
)
async def reload_model(request: Request, asked: ReloadRequest) -> Response:
    """Load a model's folder beside the old one, try it, and let it answer from now on.

    One that is damaged is refused (409), and the old one goes on. With several workers the others
    follow within seconds.
    """
    done = await service_of(request).reload(asked.model)
    request.state.model = str(done.now)
    return json_response(
        {
            "before": _shown(done.before),
            "now": _shown(done.now),
            "seconds": round(done.seconds, 3),
        }
    )


def _shown(identity: Identity) -> dict[str, Any]:
    return {
        "task": identity.task,
        "tasks": identity.tasks,
        "labels": identity.labels,
        **identity.shown(),
    }


ROUTES = APIRouter()
ROUTES.include_router(_LISTING)
ROUTES.include_router(_RELOADING)
