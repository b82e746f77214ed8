"""The audit log: who asked what of which model, and when. Lines that are chained by digests.

Each line holds the SHA-256 of itself with the line before, so that a line that was changed, removed
or put in shows. A line at the end that was cut off does not: compare the last number with another
record, such as the number of requests in the metrics. Inputs stand there as HMAC-SHA256 under a
secret of the service: equal inputs can be matched by who has the secret, guessed by nobody else.
"""

import errno
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from biobert.core.errors import BadInputError, BiobertError
from biobert.serving.keys import check_private
from biobert.serving.settings import AuditSettings

GENESIS = "0" * 64
LONGEST_RECORD = 16_384


class AuditError(BiobertError):
    """The line could not be written."""


@dataclass(frozen=True, slots=True)
class Event:
    """One request: the key that asked, what was asked of which model, and what came of it.

    What was refused before its body was read has no `input_hmac`.
    """

    request_id: str
    key: str
    endpoint: str
    model: str
    documents: int
    characters: int
    milliseconds: float
    input_hmac: str
    status: int
    outcome: str


class AuditLog:
    """A file that is only appended to, by this process and by others."""

    def __init__(self, settings: AuditSettings) -> None:
        if settings.file is None:
            raise BadInputError("[audit] file: name one")
        self._file = settings.file
        self.when_full = settings.when_full
        self._secret = _secret(
            settings.secret or settings.file.with_name(f"{settings.file.name}.secret")
        )
        self._lock = threading.Lock()
        self._failed = False
        # Opened for reading too: the last line of another process is the one to chain to.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        try:
            self._place = os.open(self._file, flags, 0o600)
        except OSError as problem:
            raise BadInputError(f"audit log {self._file}: {problem.strerror}") from None

    def digest(self, content: bytes) -> str:
        """The HMAC-SHA256 of an input."""
        return hmac.new(self._secret, content, hashlib.sha256).hexdigest()

    def check(self) -> None:
        """After a line that could not be written: an error for as long as none can be.

        The first line that can says that some are missing.
        """
        if self._failed:
            self._append({"event": "resumed", "outcome": "lines before this are missing"})
            self._failed = False

    def write(self, event: Event) -> None:
        """Append a line, or raise AuditError; half a line is never left."""
        self.check()
        self._append({"event": "request", **asdict(event)})

    def close(self) -> None:
        """Close the file."""
        os.close(self._place)

    def _append(self, record: Mapping[str, Any]) -> None:
        with self._lock:
            fcntl.flock(self._place, fcntl.LOCK_EX)
            try:
                size = os.fstat(self._place).st_size
                last = self._last(size)
                line = chained(record, last)
                self._write_whole(line, size)
            except OSError as problem:
                self._failed = True
                raise AuditError(
                    f"audit log {self._file}: {problem.strerror}", code="audit-failed"
                ) from None
            finally:
                fcntl.flock(self._place, fcntl.LOCK_UN)

    def _write_whole(self, line: bytes, size: int) -> None:
        written = os.write(self._place, line)
        if written < len(line):
            os.ftruncate(self._place, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _last(self, size: int) -> dict[str, Any]:
        """The last record; of an empty file the one that all begin with."""
        if not size:
            return {"number": 0, "digest": GENESIS}
        tail = os.pread(self._place, LONGEST_RECORD, max(0, size - LONGEST_RECORD))
        try:
            record = json.loads(tail.rstrip(b"\n").rpartition(b"\n")[2])
            return {"number": int(record["number"]), "digest": str(record["digest"])}
        except (ValueError, KeyError, TypeError):
            # Not a line of ours: the check will show it; the chain begins anew.
            return {"number": 0, "digest": GENESIS}


def chained(record: Mapping[str, Any], last: Mapping[str, Any]) -> bytes:
    """The line of a record that follows another."""
    values = {
        "number": last["number"] + 1,
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        **record,
        "previous": last["digest"],
    }
    return _line({**values, "digest": _digest(values)})


def check_log(file: Path) -> int:
    """How many lines an audit log holds; an error names the first that breaks the chain."""
    last, count = GENESIS, 0
    try:
        with file.open(encoding="utf-8") as stream:
            for count, line in enumerate(stream, start=1):
                last = _checked(line, file, count, last)
    except FileNotFoundError:
        raise BadInputError(f"no such file: {file}", code="not-found") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{file} line {count + 1}: not UTF-8") from None
    return count


def _checked(line: str, file: Path, number: int, last: str) -> str:
    try:
        record = json.loads(line)
        found = record.pop("digest")
        said, previous = record["number"], record["previous"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadInputError(f"{file} line {number}: not a line of an audit log") from None
    if found != _digest(record):
        raise BadInputError(f"{file} line {number}: it was changed after it was written")
    if previous != last or said != number:
        raise BadInputError(
            f"{file} line {number}: it is record {said}; a line before it was removed or put in"
        )
    return str(found)


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(_line(values)).hexdigest()


def _line(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _secret(file: Path) -> bytes:
    """The secret of a file that only its owner reads; it is made where there is none."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or not file.stat().st_size:
            _make_secret(file)
        check_private(file)
        content = file.read_bytes()
    except OSError as problem:
        raise BadInputError(f"audit secret {file}: {problem.strerror}") from None
    if len(content) < 32:
        raise BadInputError(f"{file}: {len(content)} bytes; an audit secret has 32 at least")
    return content


def _make_secret(file: Path) -> None:
    """Write a secret where none stands, not even when the file was opened."""
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as stream:
        # Of workers that start together one makes it, and the others wait for it.
        fcntl.flock(stream, fcntl.LOCK_EX)
        if not stream.read():
            stream.write(secrets.token_hex(32).encode())
            stream.flush()
            os.fsync(stream.fileno())
