"""Around every request: an identity, a time, a line in the log, and headers that protect."""

import re
import time
import uuid
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from biobert.serving.connections import SURPLUS
from biobert.serving.logs import log
from biobert.serving.security import HEADERS
from biobert.serving.service import Service

REQUEST_ID = "x-request-id"
HONEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
UNMATCHED = "unmatched"


class Observer:
    """Pure ASGI: it neither buffers answers nor hides that a client went away."""

    def __init__(self, app: ASGIApp, service: Service, *, headers: Mapping[str, str]) -> None:
        self._app = app
        self._metrics = service.metrics
        self._tracing = service.tracing
        self._headers = {**HEADERS, **headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note what came of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = _Seen(scope, self._headers)
        if self._tracing is not None:
            scope["state"]["trace"] = self._tracing.request(scope)
        try:
            await self._app(scope, receive, seen.sending(send))
        finally:
            self._note(scope, seen)

    def _note(self, scope: Scope, seen: "_Seen") -> None:
        state = scope["state"]
        seconds = time.perf_counter() - seen.began
        endpoint = _endpoint(scope)
        self._metrics.requests.labels(endpoint, str(seen.status)).observe(seconds)
        code = state.get("code", "internal" if seen.status == 500 else None)
        if code is not None:
            self._metrics.refusals.labels(code).inc()
        noted = {
            name: state[name]
            for name in ("key", "model", "documents", "characters")
            if name in state
        }
        if code is not None:
            noted["code"] = code
        if "trace" in state:
            facts = {**noted, "request_id": state["request_id"]}
            state["trace"].end(endpoint, seen.status, facts)
            noted["trace_id"] = state["trace"].id
        log(
            "request",
            request_id=state["request_id"],
            method=scope["method"],
            endpoint=endpoint,
            status=seen.status,
            milliseconds=round(seconds * 1000, 1),
            **noted,
        )


def _endpoint(scope: Scope) -> str:
    """The path as its route writes it; of a route that FastAPI does not name, such as that of
    `/openapi.json`, the path itself, unless it may have any number of values."""
    route = scope.get("route")
    if route is not None:
        return str(route.path)
    is_fixed = "endpoint" in scope and not scope.get("path_params")
    return str(scope["path"]) if is_fixed else UNMATCHED


class _Seen:
    """What is known of a request while it runs; a failure is a 500 until something was sent."""

    def __init__(self, scope: Scope, headers: Mapping[str, str]) -> None:
        self.began = time.perf_counter()
        self.status = 500
        self._headers = headers
        given = dict(scope["headers"]).get(REQUEST_ID.encode(), b"").decode("latin-1")
        self._is_surplus = SURPLUS in scope.get("state", {})
        self.request_id = given if HONEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = self.request_id

    def sending(self, send: Send) -> Send:
        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = self.request_id
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if self._is_surplus:
                    headers["connection"] = "close"
            await send(message)

        return sender
