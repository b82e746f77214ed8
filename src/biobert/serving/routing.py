"""Routes that are guarded: who asks is known before the body is read, and the answer is audited."""

import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Set
from functools import partial
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from pydantic_core import from_json
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from biobert.core.errors import BiobertError
from biobert.serving.audit import AuditError, AuditLog, Event
from biobert.serving.connections import SURPLUS
from biobert.serving.logs import log
from biobert.serving.refusals import Refusal, invalid, too_large
from biobert.serving.schema import ErrorAnswer
from biobert.serving.security import Access, Caller
from biobert.serving.service import Service, service_of

R = TypeVar("R")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
JSON = "application/json"
MOST_ELEMENTS = 100_000
"""Of all lists in a JSON body: mentions, passages, concepts."""
ERRORS = {
    400: "The body is no JSON, or no UTF-8.",
    401: "No valid key.",
    403: "A key that may not do this.",
    404: "No model for this is loaded.",
    408: "The body did not arrive in time.",
    413: "Too many bytes, texts or characters.",
    415: "A content type that is not read here.",
    422: "It was read, and cannot be answered; `details` name places.",
    429: "Too often, or too much at once; see Retry-After.",
    503: "Not ready; see Retry-After.",
    504: "No answer in time.",
}


class ReadRequest(Request):
    """A request whose body was read, within limits."""

    def __init__(self, scope: Scope, receive: Receive, content: bytes, service: Service) -> None:
        super().__init__(scope, receive)
        self.content = content
        self._service = service
        self._documents = service.settings.limits.documents

    async def body(self) -> bytes:
        """The bytes that were read."""
        return self.content

    async def json(self) -> Any:
        """The value of a JSON body: UTF-8, no NaN, nested no deeper than 200, of bounded lists."""
        return await self.made(lambda value: value)

    async def made(self, make: Callable[[Any], R]) -> R:
        """What `make` makes of that value; a large one's is made beside the event loop."""

        def work() -> R:
            return make(self._value())

        return await self._service.read_aside(len(self.content), work)

    def _value(self) -> Any:
        """Looked at before it is validated: 10 MB of valid objects would take 8 seconds."""
        value = strict_json(self.content)
        for name, one in value.items() if isinstance(value, dict) else ():
            if isinstance(one, list) and len(one) > self._documents:
                raise too_large(
                    f"{len(one)} {name[:100]}; a request holds {self._documents}: send several"
                )
        check_elements(value)
        return value


class GuardedRoute(APIRoute):
    """A route for whoever has a key."""

    def access(self, service: Service) -> Access:
        """Who may come."""
        del service
        return "reader"

    def check_connection(self, request: Request) -> None:
        """Refuse what comes through one connection too many."""
        if SURPLUS in request.scope["state"]:
            raise Refusal(
                503, "too-many-connections", "too many connections; come back", retry_after=1
            )

    def admit(self, caller: Caller, service: Service) -> None:
        """Let the caller in, or Refusal: all that can be said before the body is read."""
        service.gate.admit(caller, self.access(service))

    def get_route_handler(self) -> Handler:
        """Guard, read, answer; what changes or reads something is written down.

        Not what has no key or is asked too often: the audit log is not for anyone to fill.
        """
        answer = super().get_route_handler()
        is_audited = "POST" in (self.methods or ())

        async def handle(request: Request) -> Response:
            service = service_of(request)
            self.check_connection(request)
            caller = service.gate.recognise(request.headers, self.access(service))
            request.state.key = caller.id
            service.gate.count(caller)
            answering = partial(self._answered, answer, request, service, caller)
            if service.audit is None or not is_audited:
                return await answering()
            return await _audited(answering, request, service, service.audit)

        return handle

    async def _answered(
        self, answer: Handler, request: Request, service: Service, caller: Caller
    ) -> Response:
        self.admit(caller, service)
        if self.body_field is not None:
            check_json(request)
        async with service.intake.body(request) as content:
            if service.audit is not None:
                request.state.input_hmac = service.audit.digest(content)
            return await answer(ReadRequest(request.scope, request.receive, content, service))


class TextRoute(GuardedRoute):
    """A route that answers about texts: only while there is room for them."""

    def admit(self, caller: Caller, service: Service) -> None:
        """Refuses too while the service is not ready, or much waits already."""
        super().admit(caller, service)
        service.check_open()
        service.queue.check()


class AdminRoute(GuardedRoute):
    """A route for admins."""

    def access(self, service: Service) -> Access:
        """Admins alone."""
        del service
        return "admin"


def guarded(
    route: type[GuardedRoute] = TextRoute, others: Mapping[int, str] | None = None
) -> APIRouter:
    """A router of guarded routes, each with the errors it may answer, and `others`."""
    responses: dict[int | str, dict[str, Any]] = {
        status: {"description": said, "model": ErrorAnswer}
        for status, said in {**ERRORS, **(others or {})}.items()
    }
    return APIRouter(route_class=route, responses=responses)


def strict_json(content: bytes) -> Any:
    """The value of JSON bytes, or Refusal."""
    try:
        return from_json(content, allow_inf_nan=False)
    except ValueError as problem:
        raise Refusal(400, "bad-json", f"the body is not JSON in UTF-8: {problem}") from None


def check_elements(value: Any) -> None:
    """Refuse a JSON value whose lists hold too many elements in all, however small its bytes."""
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            count += len(one)
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
        if count > MOST_ELEMENTS:
            raise too_large(f"lists of more than {MOST_ELEMENTS} elements in all; send fewer")


def content_type(request: Request) -> tuple[str, dict[str, str]]:
    """The media type of a body and its parameters, in lower case."""
    return media_type(request.headers.get("content-type", JSON))


def media_type(header: str) -> tuple[str, dict[str, str]]:
    """`text/plain; format=pubtator` in its parts."""
    kind, *rest = header.lower().split(";")
    pairs = (part.partition("=") for part in rest)
    return kind.strip(), {name.strip(): value.strip(' "') for name, _, value in pairs}


def accepted(header: str) -> list[tuple[str, dict[str, str]]]:
    """The media types of an Accept header, the most welcome first, without those at `q=0`."""
    kinds = [media_type(one) for one in header.split(",")]
    welcome = [(kind, parameters) for kind, parameters in kinds if _quality(parameters) > 0.0]
    return sorted(welcome, key=lambda one: -_quality(one[1]))


def _quality(parameters: Mapping[str, str]) -> float:
    """The `q` of a media type: 1 where none is said, 0 where it is no number between 0 and 1."""
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0


def is_utf8(parameters: Mapping[str, str]) -> bool:
    """Whether the parameters of a media type say UTF-8, or a part of it, or nothing."""
    return parameters.get("charset", "utf-8") in ("utf-8", "utf8", "us-ascii")


def check_query(request: Request, known: Set[str]) -> None:
    """Refuse what a query says and nobody reads: `?deidentify=true` must not be overlooked."""
    for name in request.query_params:
        if name not in known:
            raise invalid(
                f"?{name}= is not read here"
                + (f"; known: {', '.join(sorted(known))}" if known else "; say it in the body")
            )


def check_json(request: Request) -> None:
    """Refuse a body that is no JSON, and a query: the body says all."""
    kind, parameters = content_type(request)
    if kind != JSON or not is_utf8(parameters):
        raise Refusal(415, "unsupported-media-type", f"content type {kind!r}: send {JSON}")
    check_query(request, frozenset())


async def _audited(
    answering: Callable[[], Awaitable[Response]],
    request: Request,
    service: Service,
    audit: AuditLog,
) -> Response:
    """The answer, once it is written down that it is given, or refused."""
    began = time.perf_counter()
    if audit.when_full == "refuse":
        await _write(service, audit, audit.check)
    status, outcome = 500, "internal"
    try:
        response = await answering()
        status, outcome = response.status_code, "answered"
    except HTTPException as problem:
        status, outcome = problem.status_code, getattr(problem, "code", "refused")
        raise
    except (BiobertError, RequestValidationError, ValidationError):
        status, outcome = 422, "invalid"
        raise
    finally:
        state = request.scope["state"]
        event = Event(
            request_id=state["request_id"],
            key=state["key"],
            endpoint=getattr(request.scope.get("route"), "path", ""),
            model=state.get("model", ""),
            documents=state.get("documents", 0),
            characters=state.get("characters", 0),
            milliseconds=round((time.perf_counter() - began) * 1000, 1),
            input_hmac=state.get("input_hmac", ""),
            status=status,
            outcome=outcome,
        )
        await _write(service, audit, lambda: audit.write(event))
    return response


async def _write(service: Service, audit: AuditLog, writing: Callable[[], None]) -> None:
    try:
        await run_in_threadpool(writing)
    except AuditError as problem:
        service.metrics.audit_failures.inc()
        log("audit-failed", level=logging.ERROR, reason=str(problem))
        if audit.when_full == "refuse":
            raise Refusal(
                503,
                "audit-failed",
                "the audit log cannot be written, and nothing is answered without it",
                retry_after=60,
            ) from None
