"""`/`: a page on which people paste a text or drop a file and see what is found in it.

The page itself is open to everyone, since it holds nothing; what it asks needs a key as ever.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePath

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

ROUTES = APIRouter(include_in_schema=False)
INDEX = "index.html"
MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    "cross-origin-opener-policy": "same-origin",
    # Kept, and asked for again each time: a service that was renewed has the page that fits it.
    "cache-control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    media_type: str
    etag: str


@ROUTES.api_route("/", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    """The page. Needs no key."""
    return _answer(request, INDEX)


@ROUTES.api_route("/web/{name}", methods=["GET", "HEAD"])
async def part(request: Request, name: str) -> Response:
    """A style or a script of the page. Needs no key."""
    return _answer(request, name)


def _answer(request: Request, name: str) -> Response:
    asset = _assets().get(name)
    if asset is None:
        raise HTTPException(404, "no such part of the page")
    headers = {**HEADERS, "etag": asset.etag}
    known = request.headers.get("if-none-match", "")
    if asset.etag in (one.strip().removeprefix("W/") for one in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(asset.content, headers=headers, media_type=asset.media_type)


@cache
def _assets() -> Mapping[str, _Asset]:
    """The files of the page by name: nothing else can be asked for."""
    folder = files("biobert.serving") / "web"
    return {
        one.name: _asset(one.read_bytes(), MEDIA_TYPES[PurePath(one.name).suffix])
        for one in folder.iterdir()
        if PurePath(one.name).suffix in MEDIA_TYPES
    }


def _asset(content: bytes, media_type: str) -> _Asset:
    digest = hashlib.sha256(content).hexdigest()[:32]
    return _Asset(content, f"{media_type}; charset=utf-8", f'"{digest}"')
