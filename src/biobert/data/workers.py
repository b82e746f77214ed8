"""Preparing packets on all cores of this machine: in order, and a bounded number at a time."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process

from biobert.core.errors import BiobertError
from biobert.data.packets import Packet, Position, Unit, packets_of
from biobert.data.preparing import Preparation, PreparedPacket, Preparer

WAITING_PACKETS = 2
"""For each worker: one at work, one at hand."""


@dataclass(frozen=True, slots=True)
class Work:
    """What an engine is given: units to cut into packets from `start` on, and what to make."""

    units: Sequence[Unit]
    preparation: Preparation
    packet_bytes: int
    start: Position = field(default_factory=Position)

    def packets(self) -> Iterator[Packet]:
        """The packets that are still to be prepared, in order."""
        for number in range(self.start.unit, len(self.units)):
            first = self.start.packet if number == self.start.unit else 0
            yield from packets_of(self.units[number], number, self.packet_bytes, first=first)


Engine = Callable[[Work], Generator[PreparedPacket, None, None]]
"""Prepares all packets of the work and gives them in their order; closing it ends its workers."""


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """Worker processes on this machine; one prepares the packets in this process."""

    workers: int

    def __call__(self, work: Work) -> Generator[PreparedPacket, None, None]:
        """The prepared packets, in order."""
        if self.workers == 1:
            yield from map(Preparer(work.preparation), work.packets())
            return
        # Spawned: this process may have threads, and a fork would copy their locks as they are.
        pool = ProcessPoolExecutor(
            self.workers, get_context("spawn"), initializer=_begin, initargs=(work.preparation,)
        )
        try:
            yield from self._in_order(pool, work.packets())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _in_order(
        self, pool: ProcessPoolExecutor, packets: Iterator[Packet]
    ) -> Iterator[PreparedPacket]:
        waiting: deque[tuple[Packet, Future[PreparedPacket]]] = deque()
        try:
            for packet in packets:
                waiting.append((packet, pool.submit(_prepare, packet)))
                if len(waiting) > WAITING_PACKETS * self.workers:
                    yield waiting[0][1].result()
                    waiting.popleft()
            while waiting:
                yield waiting[0][1].result()
                waiting.popleft()
        except BrokenProcessPool:
            names = sorted({piece.name for one, _ in waiting for piece in one.pieces})
            raise BiobertError(
                "a worker process died, perhaps for want of memory, while at "
                f"{', '.join(names[:3]) or 'its first packet'}; go on with --resume and fewer "
                "--workers"
            ) from None


_preparer: Preparer | BiobertError | None = None


def _begin(preparation: Preparation) -> None:
    global _preparer  # a worker process has one, made once
    # An interrupt from the keyboard reaches every process; the first one sees to the end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        _preparer = Preparer(preparation)
    except BiobertError as problem:
        _preparer = problem  # raised here, it would end the worker, and nobody would be told


def _leave_with_parent() -> None:
    """A killed parent says no goodbye, and its workers would wait for packets for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _prepare(packet: Packet) -> PreparedPacket:
    if isinstance(_preparer, BiobertError):
        raise _preparer
    assert _preparer is not None
    return _preparer(packet)
