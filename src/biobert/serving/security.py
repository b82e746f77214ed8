"""Who asks, what they may ask, and how often."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import Headers

from biobert.core.errors import BadInputError
from biobert.serving.keys import KeyRing
from biobert.serving.refusals import Refusal
from biobert.serving.settings import Role, SecuritySettings, is_loopback

Access = Literal["anyone", "reader", "admin"]
ANONYMOUS = "anonymous"
HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?")
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
STRICT_TRANSPORT = {"strict-transport-security": "max-age=31536000"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a key's id, role, and rate where it has one of its own."""

    id: str
    role: Role
    requests_per_minute: int | None = None


class TokenBucket:
    """So many requests a minute, and `burst` of them at once, though one at least."""

    def __init__(
        self, per_minute: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_minute = per_minute
        self._burst = max(1.0, burst)
        self._clock = clock
        self._left = self._burst
        self._filled = clock()

    def take(self) -> float:
        """0 where the request may pass, else the seconds until one may."""
        now = self._clock()
        gained = (now - self._filled) * self.per_minute / 60.0
        self._left = min(self._burst, self._left + gained)
        self._filled = now
        if self._left >= 1.0:
            self._left -= 1.0
            return 0.0
        return (1.0 - self._left) * 60.0 / self.per_minute


class Doorkeeper:
    """Lets a request in, or says why not, from its head alone."""

    def __init__(self, settings: SecuritySettings, *, workers: int = 1) -> None:
        self._settings = settings
        self._ring = None if settings.keys is None else KeyRing(settings.keys)
        self._buckets: dict[str, TokenBucket] = {}
        # They do not count together: each grants its share, and together they grant the rate.
        self._share = 1.0 / (workers * settings.replicas)

    def recognise(self, headers: Headers, access: Access) -> Caller:
        """Who asks for this, by the key that the headers name.

        Raises Refusal: 401 for no key or an unknown one; where there are no keys, 403 for a foreign
        host and 400 for none at all; 503 where keys cannot be read.
        """
        self._check_host(headers)
        if access == "anyone" or self._ring is None:
            return Caller(ANONYMOUS, "reader")
        self.check_keys()
        key = self._ring.find(_presented(headers))
        if key is None:
            raise Refusal(
                401,
                "unauthorised",
                "no valid key; send `Authorization: Bearer KEY` or `X-API-Key: KEY`",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return Caller(key.id, key.role, key.requests_per_minute)

    def _check_host(self, headers: Headers) -> None:
        """Without keys a service is this machine's alone: refuse what came under another name, as a
        web page's requests do whose own name was made to lead here (DNS rebinding)."""
        if self._ring is not None or self._settings.without_keys == "anywhere":
            return
        host = headers.get("host", "")
        named = HOST.fullmatch(host)
        if host and named is None:
            raise Refusal(400, "bad-host", "the Host header names no host; such as localhost:8000")
        if named is not None and not is_loopback(_plain_host(named[1])):
            raise Refusal(
                403,
                "forbidden",
                "without keys only this machine is answered, as localhost: start with --keys FILE, "
                "or with --no-keys to answer under any name",
            )

    def check_keys(self) -> None:
        """Refuse all while there are keys that cannot be read."""
        try:
            if self._ring is not None:
                self._ring.check()
        except BadInputError:
            raise Refusal(
                503, "keys-unreadable", "the key file cannot be read", retry_after=10
            ) from None

    def admit(self, caller: Caller, access: Access) -> None:
        """Let the caller do this, or Refusal: 403 for a key of too little weight."""
        if access == "admin" and caller.role != "admin":
            cure = f"{caller.id} is a {caller.role}" if self._ring else "start with --keys FILE"
            raise Refusal(403, "forbidden", f"this needs a key of role admin; {cure}")

    def count(self, caller: Caller) -> None:
        """Count a request of the caller, or Refusal: 429 for one that asks too often."""
        # Those without keys cannot be told from one another: there is no rate to keep.
        if caller.id == ANONYMOUS:
            return
        rate, burst = self._settings.requests_per_minute, self._settings.burst
        if caller.requests_per_minute is not None:
            rate = caller.requests_per_minute
            burst = min(burst, rate)
        per_minute = rate * self._share
        bucket = self._buckets.get(caller.id)
        if bucket is None or bucket.per_minute != per_minute:
            bucket = self._buckets[caller.id] = TokenBucket(per_minute, burst * self._share)
        seconds = bucket.take()
        if seconds:
            raise Refusal(
                429,
                "too-many-requests",
                f"key {caller.id} may ask {per_minute:g} times a minute here",
                retry_after=seconds,
            )


def _plain_host(name: str) -> str:
    """A host without what may stand around it: brackets, or the dot of a name that is whole."""
    return name.lower().strip("[]").removesuffix(".")


def _presented(headers: Headers) -> str:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    return headers.get("x-api-key", "").strip()
