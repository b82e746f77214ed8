"""The audit log: who asked what of which model, and when. Lines that are chained by digests.

Each line holds the SHA-256 of itself with the line before, so that a line that was changed, removed
or put in shows. A line at the end that was cut off does not: compare the last number with another
record, such as the number of requests in the metrics. A file that was renamed is followed by a new
one, whose first line goes on with the number and the digest of its last. Inputs stand there as
HMAC-SHA256 under a secret of the service: equal inputs can be matched by who has the secret,
guessed by nobody else.
"""

import errno
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from biobert.core.errors import BadInputError, BiobertError
from biobert.serving.keys import check_private, refuse_public
from biobert.serving.settings import AuditSettings

GENESIS = "0" * 64
LONGEST_RECORD = 16_384
ROTATED = "rotated"
"""The event of the first line of a file that takes the place of a renamed one."""


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
        try:
            self._place = _opened(self._file)
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

    def follow(self) -> None:
        """Go on in a new file where this one was renamed; what is in the way the next line says.

        Of two renamings who writes seldom would see the second alone, and could not chain to what
        others wrote between them.
        """
        with self._lock, suppress(OSError, BadInputError), self._current():
            pass

    def close(self) -> None:
        """Close the file; where it was renamed, the new one says so first, for who starts next does
        not know the old one."""
        self.follow()
        os.close(self._place)

    def _append(self, record: Mapping[str, Any]) -> None:
        try:
            with self._lock, self._current() as place:
                _write(place, record, _last(place))
        except (OSError, BadInputError) as problem:
            self._failed = True
            said = getattr(problem, "strerror", None) or problem
            raise AuditError(f"audit log {self._file}: {said}", code="audit-failed") from None

    @contextmanager
    def _current(self) -> Iterator[int]:
        """The file of that name, locked; a new one where the old one was renamed."""
        try:
            fcntl.flock(self._place, fcntl.LOCK_EX)
            while not _is_at(self._place, self._file):
                now = _following(self._place, self._file)
                # And with it its lock, which was held until here: its last line stays the last.
                os.close(self._place)
                self._place = now
            yield self._place
        finally:
            fcntl.flock(self._place, fcntl.LOCK_UN)


def _following(before: int, file: Path) -> int:
    """The new file of that name, locked; if it is empty its first line goes on from the old one.

    Of several processes one writes that line, and the others chain to it.
    """
    now = _opened(file)
    try:
        fcntl.flock(now, fcntl.LOCK_EX)
        if not os.fstat(now).st_size:
            _write(now, {"event": ROTATED}, _last(before))
    except OSError:
        os.close(now)
        raise
    return now


def _write(place: int, record: Mapping[str, Any], last: Mapping[str, Any]) -> None:
    """Append the whole line, or nothing of it."""
    size, line = os.fstat(place).st_size, chained(record, last)
    written = os.write(place, line)
    if written < len(line):
        os.ftruncate(place, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _last(place: int) -> dict[str, Any]:
    """The last record; of an empty file the one that all begin with."""
    size = os.fstat(place).st_size
    if not size:
        return {"number": 0, "digest": GENESIS}
    tail = os.pread(place, LONGEST_RECORD, max(0, size - LONGEST_RECORD))
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


def check_log(file: Path, *later: Path) -> int:
    """How many lines an audit log holds; an error names the first that breaks the chain.

    `later` are the files that followed it, each when the one before was renamed, in that order. The
    first may follow one that is not named.
    """
    count, last = 0, None
    for one in (file, *later):
        lines, last = _checked_file(one, last)
        count += lines
    return count


@dataclass(frozen=True, slots=True)
class _Link:
    """What the next line must go on from."""

    number: int
    digest: str


def _checked_file(file: Path, last: _Link | None) -> tuple[int, _Link | None]:
    """How many lines the file holds, and the last of all."""
    count = 0
    try:
        with file.open(encoding="utf-8") as stream:
            for count, line in enumerate(stream, start=1):
                last = _checked(line, file, count, last)
    except FileNotFoundError:
        raise BadInputError(f"no such file: {file}", code="not-found") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{file} line {count + 1}: not UTF-8") from None
    return count, last


def _checked(line: str, file: Path, place: int, last: _Link | None) -> _Link:
    """The line as a link, if it goes on from the last; without one it may be a log's very first
    line, or say that a file before it was renamed."""
    try:
        record = json.loads(line)
        found = record.pop("digest")
        said = _Link(record["number"], found)
        before = _Link(said.number - 1, record["previous"])
        is_whole = found == _digest(record)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadInputError(f"{file} line {place}: not a line of an audit log") from None
    if not is_whole:
        raise BadInputError(f"{file} line {place}: it was changed after it was written")
    if last is None:
        last = before if record.get("event") == ROTATED else _Link(0, GENESIS)
    if before != last:
        raise BadInputError(
            f"{file} line {place}: it is record {said.number}; a line before it was removed or put "
            "in"
        )
    return said


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(_line(values)).hexdigest()


def _line(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _opened(file: Path) -> int:
    """The file, made where there is none; only its owner may read it."""
    # Opened for reading too: the last line of another process is the one to chain to.
    place = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    found = os.fstat(place)
    try:
        if stat.S_ISREG(found.st_mode):
            refuse_public(found, file)
    except BadInputError:
        os.close(place)
        raise
    return place


def _is_at(place: int, file: Path) -> bool:
    """Whether a file that is open is the one of that name."""
    try:
        return os.path.samestat(os.fstat(place), file.stat())
    except FileNotFoundError:
        return False


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
