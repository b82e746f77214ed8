"""What may come in: room in the queue, and bodies that are read no further than allowed."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from biobert.serving.refusals import Refusal, too_large
from biobert.serving.settings import BatchingSettings, LimitSettings

CLIENT_GONE = 499
"""The status of a request whose client went away; nobody sees it but the log (nginx's number)."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a request brings."""

    documents: int
    characters: int

    def share_of(self, most: "Load") -> float:
        """Which part of the most there may be, in documents or characters, whichever is larger."""
        return max(self.documents / most.documents, self.characters / most.characters)


NOTHING = Load(0, 0)


class Room:
    """What one request holds of a queue."""

    def __init__(self, queue: "Queue", load: Load) -> None:
        self._queue = queue
        self._load = load

    def resize(self, load: Load) -> None:
        """Hold this instead, or refuse as `Queue.reserve` does and hold what was held."""
        self._queue.exchange(self._load, load)
        self._load = load

    def release(self) -> None:
        """Give back what is held."""
        self.resize(NOTHING)


class Queue:
    """Room for what is not yet answered, in documents and characters.

    `watch` is told what is held, and which share of the room that is.
    """

    def __init__(
        self, settings: BatchingSettings, watch: Callable[[Load, float], None] | None = None
    ) -> None:
        self._most = Load(settings.queued_documents, settings.queued_characters)
        self._watch = watch
        self._lock = threading.Lock()
        self.held = NOTHING

    def check(self) -> None:
        """Refuse while there is no room for even the smallest request."""
        if (
            self.held.documents >= self._most.documents
            or self.held.characters >= self._most.characters
        ):
            raise _full()

    def reserve(self, load: Load) -> Room:
        """Take room, or refuse: 413 for what would never fit, 429 for what does not fit now."""
        self.exchange(NOTHING, load)
        return Room(self, load)

    def exchange(self, before: Load, now: Load) -> None:
        """Take room for what is now known to be brought in place of what was thought before."""
        self._check_size(now)
        with self._lock:
            held = Load(
                self.held.documents - before.documents + now.documents,
                self.held.characters - before.characters + now.characters,
            )
            if held.documents > self._most.documents or held.characters > self._most.characters:
                raise _full()
            self._hold(held)

    def _check_size(self, load: Load) -> None:
        """Refuse what would never fit."""
        if load.documents > self._most.documents or load.characters > self._most.characters:
            raise too_large(
                f"{load.documents} texts of {load.characters} characters: the queue holds "
                f"{self._most.documents} and {self._most.characters}; send fewer at once"
            )

    def _hold(self, held: Load) -> None:
        self.held = held
        if self._watch is not None:
            self._watch(held, held.share_of(self._most))


class Intake:
    """Reads bodies: bounded in size, in time, and in what all of them take together."""

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits
        self._held_bytes = 0

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """The body's bytes, which count as held until the block ends.

        Raises Refusal: 413 for too many bytes, also without a Content-Length, 408 for a body that
        trickles, 415 for a packed one, 429 where other bodies take all the room.
        """
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refusal(415, "unsupported-media-type", "send the body unpacked")
        declared = request.headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > self._limits.body_bytes:
            raise self._too_large()
        content = bytearray()
        try:
            await self._read(request, content)
            yield bytes(content)
        finally:
            self._held_bytes -= len(content)

    async def _read(self, request: Request, content: bytearray) -> None:
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in request.stream():
                    self._check(len(content), len(chunk))
                    content += chunk
                    self._held_bytes += len(chunk)
        except TimeoutError:
            raise Refusal(
                408,
                "slow-body",
                f"the body did not arrive within {self._limits.body_seconds:g} seconds",
                headers={"Connection": "close"},
            ) from None
        except ClientDisconnect:
            raise client_gone() from None

    def _check(self, own_bytes: int, more_bytes: int) -> None:
        if own_bytes + more_bytes > self._limits.body_bytes:
            raise self._too_large()
        if self._held_bytes + more_bytes > self._limits.all_bodies_bytes:
            raise _full()

    def _too_large(self) -> Refusal:
        return too_large(f"the body is larger than {self._limits.body_bytes} bytes; split it")


def client_gone() -> Refusal:
    """Nobody is there to be answered."""
    return Refusal(CLIENT_GONE, "client-gone", "the client went away")


def _full() -> Refusal:
    return Refusal(429, "queue-full", "too much waits here already; ask again", retry_after=1)
