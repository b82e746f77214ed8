"""Preparing packets on many machines with Ray Data: streamed, in order, the same bytes."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import ray
from ray.data import ActorPoolStrategy, DataContext

from biobert.data.packets import packets_of
from biobert.data.preparing import Preparation, PreparedPacket, Preparer
from biobert.data.ray_cluster import on_cluster
from biobert.data.workers import Work

READING_CPUS = 0.1
"""A worker leaves so much of its core to the cutting of packets, which must never wait for it."""
PACKETS_IN_BLOCK = 4


@dataclass(frozen=True, slots=True)
class RayEngine:
    """Workers in the Ray cluster of this process; one of this machine is started if there is none.

    Every machine must find the sources and this package at the same paths.
    """

    workers: int

    def __call__(self, work: Work) -> Generator[PreparedPacket, None, None]:
        """The prepared packets, in order."""
        with on_cluster():
            for row in self._prepared(work).iter_rows():
                yield row["prepared"]

    def _prepared(self, work: Work) -> Any:
        context = DataContext.get_current().copy()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        context.target_max_block_size = PACKETS_IN_BLOCK * work.packet_bytes
        with DataContext.current(context):
            numbers = range(work.start.unit, len(work.units))
            return (
                ray.data.from_items([{"unit": number} for number in numbers])
                .flat_map(_packets, fn_args=(work,), num_cpus=READING_CPUS)
                .map(
                    _Worker,
                    fn_constructor_args=(work.preparation,),
                    compute=ActorPoolStrategy(size=self.workers),
                    num_cpus=1 - READING_CPUS,
                )
            )


class _Worker:
    """A preparer that lives as long as the cluster has packets for it."""

    def __init__(self, preparation: Preparation) -> None:
        self.prepare = Preparer(preparation)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"prepared": self.prepare(row["packet"])}


def _packets(row: dict[str, Any], work: Work) -> Iterator[dict[str, Any]]:
    number = row["unit"]
    first = work.start.packet if number == work.start.unit else 0
    for packet in packets_of(work.units[number], number, work.packet_bytes, first=first):
        yield {"packet": packet}
