"""API keys: made at random, shown once, kept as digests in a file that only its owner reads."""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from biobert.core.errors import BadInputError
from biobert.core.files import read_json
from biobert.core.settings import from_mapping
from biobert.core.shelf import unknown_name
from biobert.serving.settings import Role

PREFIX = "biobert"
SECRET_BYTES = 32
OTHERS, EVERYONE = 0o077, 0o027
LOOK_AGAIN_SECONDS = 1.0
LONGEST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key: its SHA-256, never the key. Times are ISO 8601 in UTC.

    The secret is 256 random bits, so a fast digest is as safe as a slow one.
    """

    id: str
    name: str
    role: Role
    created: str
    sha256: str
    expires: str | None = None
    requests_per_minute: int | None = None

    def __post_init__(self) -> None:
        if self.requests_per_minute is not None and self.requests_per_minute < 1:
            raise BadInputError(
                f"key {self.name!r}: requests_per_minute = {self.requests_per_minute}: at least 1; "
                "who may not ask at all needs no key"
            )

    def is_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and datetime.fromisoformat(self.expires) <= now


def create_key(
    file: Path,
    name: str,
    *,
    role: Role = "reader",
    days: float | None = None,
    requests_per_minute: int | None = None,
) -> tuple[Key, str]:
    """A new key in the file, and the text of it, which is nowhere else."""
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise BadInputError(f"key name {name!r}: 1 to 100 characters that can be printed")
    if days is not None and not 0 < days <= LONGEST_DAYS:
        raise BadInputError(f"a key's days = {days:g}: more than 0, and up to {LONGEST_DAYS}")
    now = datetime.now(UTC)
    identifier, secret = secrets.token_hex(4), secrets.token_urlsafe(SECRET_BYTES)
    key = Key(
        id=identifier,
        name=name,
        role=role,
        created=now.isoformat(timespec="seconds"),
        sha256=_digest(secret),
        expires=None if days is None else (now + timedelta(days=days)).isoformat(),
        requests_per_minute=requests_per_minute,
    )
    with _locked(file) as place:
        keys = read_keys(place) if place.exists() else {}
        _write(place, [*keys.values(), key])
    return key, f"{PREFIX}_{identifier}_{secret}"


def revoke_key(file: Path, identifier: str) -> Key:
    """Take a key out of the file; a running service refuses it within a second."""
    with _locked(file) as place:
        keys = read_keys(place)
        if identifier not in keys:
            raise unknown_name("key", identifier, keys)
        revoked = keys.pop(identifier)
        _write(place, list(keys.values()))
    return revoked


def read_keys(file: Path) -> dict[str, Key]:
    """The keys of a file by their ids; an error where others may read it."""
    values = read_json(
        file, missing=f"no key file {file}; make one with `biobert keys create NAME --file {file}`"
    )
    check_private(file)
    rows = values.get("keys")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadInputError(f"{file}: no list 'keys'; it is not a key file")
    keys = [_key(row, f"{file} key {number}") for number, row in enumerate(rows, start=1)]
    return {key.id: key for key in keys}


def check_private(file: Path) -> None:
    """An error for a file of secrets that others may read."""
    try:
        found = file.stat()
    except OSError as problem:
        raise BadInputError(f"{file}: {problem.strerror}") from None
    refuse_public(found, file)


def refuse_public(found: os.stat_result, file: Path) -> None:
    """The same error for a file that is open."""
    if not is_private(found, os.geteuid()):
        raise BadInputError(f"{file} can be read by others than its owner; run: chmod 600 {file}")


def is_private(found: os.stat_result, user: int) -> bool:
    """Whether only its owner reads a file; one of root's, as Kubernetes mounts it, a group too.

    The rule that PostgreSQL has for its private key.
    """
    others = EVERYONE if found.st_uid == 0 != user else OTHERS
    return not found.st_mode & others


class KeyRing:
    """The keys of a file as a service knows them, looked up again when the file changes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._looked = 0.0
        self._state: tuple[int, int, int] | None = None
        self._keys: dict[str, Key] = {}
        self._refresh()

    def check(self) -> None:
        """Raises BadInputError where the key file cannot be read."""
        self._refresh()

    def find(self, presented: str) -> Key | None:
        """The key that was presented, None where it is unknown or expired.

        Raises BadInputError where the key file can no longer be read: then nobody is known.
        """
        self._refresh()
        identifier, secret = _parts(presented)
        key = self._keys.get(identifier)
        # An unknown id takes as long as a wrong secret.
        known = key.sha256 if key else _digest("")
        is_right = hmac.compare_digest(_digest(secret), known)
        if key is None or not is_right or key.is_expired(datetime.now(UTC)):
            return None
        return key

    def _refresh(self) -> None:
        with self._lock:
            now = time.monotonic()
            if self._state is not None and now - self._looked < LOOK_AGAIN_SECONDS:
                return
            self._looked = now
            found = _state(self._file)
            if found != self._state:
                self._state = None
                self._keys = read_keys(self._file)
                self._state = found


def _parts(presented: str) -> tuple[str, str]:
    prefix, _, rest = presented.partition("_")
    identifier, _, secret = rest.partition("_")
    return (identifier, secret) if prefix == PREFIX else ("", presented)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", errors="replace")).hexdigest()


def _state(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_ino, found.st_mode


def _key(row: dict[str, Any], place: str) -> Key:
    key = from_mapping(Key, row, place=place)
    for value in (key.created, key.expires):
        try:
            is_timed = value is None or datetime.fromisoformat(value).tzinfo is not None
        except ValueError:
            is_timed = False
        if not is_timed:
            raise BadInputError(f"{place}: {value!r} is not a time in UTC")
    return key


def _write(file: Path, keys: list[Key]) -> None:
    """The whole file or none of it, readable by its owner alone from the first byte on.

    The owner stays the same: a service must still read what root has changed.
    """
    rows = [{name: one for name, one in asdict(key).items() if one is not None} for key in keys]
    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    place = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(place, "w", encoding="utf-8") as stream:
            if file.exists():
                os.fchown(place, file.stat().st_uid, -1)
            json.dump({"keys": rows}, stream, indent=2, ensure_ascii=False)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _locked(file: Path) -> Iterator[Path]:
    """The file itself, not a link to it, which would be replaced while a service reads the file.

    Two that change it do so one after the other.
    """
    place = file.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    # The folder, not a file in it: whoever made such a file would shut out the others.
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield place
    finally:
        os.close(folder)


def shown(key: Key) -> dict[str, Any]:
    """What may be shown of a key: all but its digest."""
    return {name: value for name, value in asdict(replace(key, sha256="")).items() if value}
