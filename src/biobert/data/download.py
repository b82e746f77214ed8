"""Fetching a file: resumed, verified, whole or not at all, and patient with bad servers."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import sha256_of
from biobert.core.version import __version__

CHUNK_BYTES = 1 << 16
WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
"""What Lustre and NFS say where they are mounted without locks: there nobody waits for another."""


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """`timeout_seconds` is for a connection and for any silence; waits double after each try."""

    tries: int = 5
    timeout_seconds: float = 30.0
    first_wait_seconds: float = 1.0
    maximum_bytes: int = 20 * 10**9


class _Stream(Protocol):
    def read(self, size: int) -> bytes:
        """Some bytes."""
        ...


class _BrokenError(Exception):
    """This try failed; another may not."""


def fetch(
    url: str, path: Path, *, sha256: str = "", settings: FetchSettings = FetchSettings()
) -> Path:
    """Download `url` to `path` and verify it; a part left by an earlier try is gone on with.

    Of processes that want the same file one fetches it, and the others wait for it.
    Raises BiobertError when every try failed or the checksum is another one.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise BadInputError(f"address {url!r}: only http and https are fetched")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.with_name(f".{path.name}.lock")) as lock:
        if not path.exists():
            _fetch(url, path, sha256, settings)
        # Who waits for this lock finds the file; who comes later does not ask.
        lock.unlink(missing_ok=True)
    return path


def _fetch(url: str, path: Path, sha256: str, settings: FetchSettings) -> None:
    part = path.with_name(f".{path.name}.part")
    problem = ""
    for number in range(settings.tries):
        if number:
            time.sleep(settings.first_wait_seconds * 2 ** (number - 1))
        try:
            _continue(url, part, settings)
            _verify(part, sha256)
        except (_BrokenError, HTTPException, URLError, TimeoutError, ConnectionError) as found:
            problem = str(found) or type(found).__name__
            continue
        os.replace(part, path)
        return
    raise BiobertError(
        f"could not fetch {url} in {settings.tries} tries (last: {problem}); "
        f"try again to go on where it stopped, or put the file at {path}",
        code="download",
    )


@contextmanager
def _locked(lock: Path) -> Iterator[Path]:
    with lock.open("ab") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError as problem:
            if problem.errno not in WITHOUT_LOCKS:
                raise
        yield lock


def _continue(url: str, part: Path, settings: FetchSettings) -> None:
    have = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": f"biobert/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response = urlopen(Request(url, headers=headers), timeout=settings.timeout_seconds)
    except HTTPError as problem:
        part_is_done = problem.code == 416
        problem.close()
        if part_is_done:
            return
        if problem.code in (401, 403, 404, 410):
            raise BiobertError(
                f"{url}: the server says {problem.code} {problem.reason}; "
                "check the address in the catalogue",
                code="download",
            ) from None
        raise _BrokenError(f"the server says {problem.code}") from None
    with response:
        resumed = response.status == 206
        expected = response.headers.get("Content-Length")
        got = _copy(response, part, "ab" if resumed else "wb", settings)
        if expected is not None and got < int(expected):
            raise _BrokenError(f"the server closed after {got} of {expected} bytes")


def _copy(stream: _Stream, part: Path, mode: str, settings: FetchSettings) -> int:
    got = 0
    with part.open(mode) as target:
        while block := stream.read(CHUNK_BYTES):
            target.write(block)
            got += len(block)
            if target.tell() > settings.maximum_bytes:
                raise BiobertError(f"more than {settings.maximum_bytes} bytes came; stopped")
    return got


def _verify(part: Path, sha256: str) -> None:
    if not sha256:
        return
    found = sha256_of(part)
    if found != sha256:
        # What came is no good start for another try.
        part.unlink()
        raise _BrokenError(f"checksum {found[:12]}... is not {sha256[:12]}...")
