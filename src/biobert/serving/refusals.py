"""Answers that say no: one shape for all of them, and what to do about it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from biobert.core.errors import BiobertError
from biobert.serving.mistakes import told

CODES = {404: "not-found", 405: "method-not-allowed"}
MOST_DETAILS = 100
TOO_LARGE = "too-large"


class Refusal(HTTPException):
    """A request that is not answered; `code` is a short stable word for programs.

    `retry_after` are seconds; `details` name places, such as lines of the body.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        details: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        added = {} if retry_after is None else {"Retry-After": str(max(1, math.ceil(retry_after)))}
        super().__init__(status, message, {**added, **(headers or {})})
        self.code = code
        self.details = details


def too_large(message: str) -> Refusal:
    """413: more than the service takes at once."""
    return Refusal(413, TOO_LARGE, message)


def invalid(message: str, details: Sequence[Mapping[str, Any]] = ()) -> Refusal:
    """422: the request was read, and what it says cannot be answered."""
    return Refusal(422, "invalid", message, details=details)


def add_handlers(service: FastAPI) -> None:
    """Answer every problem in the one shape."""
    service.add_exception_handler(HTTPException, _of_http)
    service.add_exception_handler(RequestValidationError, _of_validation)
    service.add_exception_handler(ValidationError, _of_validation)
    service.add_exception_handler(BiobertError, _of_input)
    service.add_exception_handler(Exception, _of_defect)


def error_body(
    code: str, message: str, request_id: str, details: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The one shape."""
    error: dict[str, Any] = {"code": code, "message": message, "request_id": request_id}
    return {"error": {**error, "details": list(details)[:MOST_DETAILS]} if details else error}


async def _of_http(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, HTTPException)
    code = getattr(problem, "code", CODES.get(problem.status_code, "refused"))
    return _response(
        request,
        problem.status_code,
        code,
        str(problem.detail),
        getattr(problem, "details", ()),
        problem.headers,
    )


async def _of_validation(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, RequestValidationError | ValidationError)
    details = [told(one) for one in problem.errors()]
    said = "; ".join(f"{one['place']}: {one['reason']}" for one in details[:3])
    return _response(request, 422, "invalid", f"{said}; see /openapi.json", details)


async def _of_input(request: Request, problem: Exception) -> JSONResponse:
    return _response(request, 422, getattr(problem, "code", "bad-input"), str(problem))


async def _of_defect(request: Request, problem: Exception) -> JSONResponse:
    del problem  # the server logs it
    return _response(request, 500, "internal", "this is a defect of the service; see its log")


def _response(
    request: Request,
    status: int,
    code: str,
    message: str,
    details: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    request.state.code = code
    body = error_body(code, message, getattr(request.state, "request_id", ""), details)
    return JSONResponse(body, status, dict(headers or {}))
