"""The service as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from biobert.core.version import __version__
from biobert.serving.documents import add_examples, schemas
from biobert.serving.endpoints import SHELF
from biobert.serving.observe import Observer
from biobert.serving.refusals import add_handlers
from biobert.serving.security import STRICT_TRANSPORT
from biobert.serving.service import Service, WorkersShare
from biobert.serving.settings import ServiceSettings

DESCRIPTION = "Biomedical text mining: entities, relations, labels, answers and vectors of texts."


KEYS = {
    "key": {"type": "http", "scheme": "bearer"},
    "key-header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
"""The two ways to send a key, as OpenAPI says them."""


class Application(FastAPI):
    """FastAPI, watched from outside of everything, its error pages too."""

    def openapi(self) -> dict[str, Any]:
        """The usual document with all bodies and examples; where there are keys, with what needs
        one. It is made once."""
        if self.openapi_schema is not None:
            return self.openapi_schema
        schema = super().openapi()
        schema["components"]["schemas"].update(schemas())
        add_examples(schema["paths"])
        service: Service = self.state.service
        if service.settings.security.keys is not None:
            schema["components"]["securitySchemes"] = KEYS
            for path in schema["paths"].values():
                for operation in path.values():
                    if "401" in operation["responses"]:
                        operation["security"] = [{name: []} for name in KEYS]
        return schema

    def build_middleware_stack(self) -> ASGIApp:
        """The usual stack inside the observer."""
        service: Service = self.state.service
        headers = STRICT_TRANSPORT if service.settings.certificate else {}
        return Observer(super().build_middleware_stack(), service, headers=headers)


def build_service(settings: ServiceSettings, shared: WorkersShare | None = None) -> FastAPI:
    """The application with its models loaded; `shared` is what several workers have in common.

    Raises BadInputError for a model, a key file or an audit log that cannot be used.
    """
    application = Application(
        title="BioBERT",
        description=DESCRIPTION,
        version=__version__,
        lifespan=_lifespan,
        # Their pages fetch scripts from another host; the schema itself is at /openapi.json.
        docs_url=None,
        redoc_url=None,
        # FastAPI would send traces and logs to wherever the environment says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    application.state.service = Service(settings, shared)
    if settings.security.origins:
        application.add_middleware(
            CORSMiddleware,
            allow_origins=settings.security.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "X-API-Key", "Content-Type"],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    add_handlers(application)
    for name in SHELF.names():
        application.include_router(SHELF.load(name).ROUTES)
    return application


@asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncIterator[None]:
    service: Service = application.state.service
    service.open()
    news = asyncio.create_task(service.follow_news())
    try:
        yield
    finally:
        news.cancel()
        with suppress(asyncio.CancelledError):
            await news
        # It waits for threads, which the loop must not.
        await asyncio.to_thread(service.close)
