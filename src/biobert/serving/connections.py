"""Connections that cannot be held for nothing: what uvicorn's HTTP/1.1 does not bound itself."""

import asyncio
import resource
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

SURPLUS = "is_surplus"
"""In the state of a request that came through one connection too many."""
HELD_TIMES = 2
"""So many times the connections that are answered are held, the surplus to be told so."""
SPARE_FILES = 64
"""What a process has open besides connections: models, logs, the pipes of PDF readers."""


def room_for_connections(wanted: int) -> int:
    """How many connections, up to `wanted`, the system lets this process and its children hold.

    The limit of open files is raised as far as they need and the system allows: without a file for
    it a connection is neither taken nor refused, and probes wait with all others.
    """
    needed = HELD_TIMES * wanted + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if needed > soft != resource.RLIM_INFINITY:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, (soft - SPARE_FILES) // HELD_TIMES)


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 whose connections end where nothing moves.

    A connection may stay `timeout_keep_alive` seconds without a whole request head, however its
    bytes trickle, or with an answer of which nothing is read; uvicorn's own timer begins after the
    first answer only. One beyond `limit_concurrency` is marked `SURPLUS` for the application, and
    one beyond `HELD_TIMES` as many is dropped.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._idle: asyncio.TimerHandle | None = None
        self._unsent_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or note that there are too many."""
        super().connection_made(transport)
        if self._most is not None and len(self.connections) > HELD_TIMES * self._most:
            transport.abort()
        elif self._most is not None and len(self.connections) > self._most:
            self.app_state = {**self.app_state, SURPLUS: True}
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request; they stop the timer only when its head is whole."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """An answer was handed over; the next head is waited for."""
        super().on_response_complete()
        # uvicorn's timer would end with ours, and see no byte read since ours has looked.
        self._unset_keepalive_if_required()
        self._watch()

    def pause_writing(self) -> None:
        """The client does not read its answer: the application waits, but not for ever."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, and its timer with it."""
        super().connection_lost(exc)
        self._stop()

    def timeout_keep_alive_handler(self) -> None:
        """Close what is idle; a client that still reads its answer is not."""
        unsent = self.transport.get_write_buffer_size()
        if unsent and unsent != self._unsent_bytes:
            self._unsent_bytes = unsent
            self._stop()
            self._watch()
        elif unsent:
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _watch(self) -> None:
        is_answering = self.cycle is not None and not self.cycle.response_complete
        # An answer that nobody reads is waited for without end: only its timer ends that.
        if is_answering and not self.flow.write_paused:
            self._stop()
        elif self._idle is None and self._may_stay():
            self._idle = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _may_stay(self) -> bool:
        """Whether it would stay by itself: open, or with bytes that nobody has read."""
        return not self.transport.is_closing() or self.transport.get_write_buffer_size() > 0

    def _stop(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None


class BoundedLoop(asyncio.SelectorEventLoop):
    """A loop that closes what does not shake hands in time: TLS comes before the protocol."""

    def __init__(self, handshake_seconds: float) -> None:
        super().__init__()
        self._handshake_seconds = handshake_seconds

    async def create_server(self, *args: Any, **kwargs: Any) -> asyncio.Server:
        """The usual server; asyncio itself would wait a minute for each handshake."""
        if kwargs.get("ssl") is not None:
            kwargs["ssl_handshake_timeout"] = self._handshake_seconds
        return await super().create_server(*args, **kwargs)


class BoundedConfig(uvicorn.Config):
    """uvicorn's settings with that loop: given by a name, as usual, it would know no seconds."""

    def get_loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop]:
        """The loop; handshakes take no longer than heads of requests."""
        return partial(BoundedLoop, self.timeout_keep_alive)
