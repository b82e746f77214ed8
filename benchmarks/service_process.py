"""A service in a process of its own on this machine, for the benchmarks that ask it."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

LONGEST_START_SECONDS = 120.0


@dataclass(frozen=True)
class RunningService:
    """A process that serves, its address and where its log goes."""

    process: psutil.Popen
    address: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def workers(self) -> list[psutil.Process]:
        """The processes that hold a model."""
        found = []
        for one in self.process.children():
            # One that has just ended has no command line.
            with suppress(psutil.NoSuchProcess):
                if any("spawn_main" in word for word in one.cmdline()):
                    found.append(one)
        return found

    def megabytes(self) -> float:
        """What the process and its children hold in memory."""
        own = [self.process, *self.process.children(recursive=True)]
        total = 0
        for one in own:
            with suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
        return total / 1e6

    def is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.address}/readyz", timeout=5.0).status_code == 200
        except httpx2.TransportError:
            return False


@contextmanager
def running_service(*options: object) -> Iterator[RunningService]:
    """`biobert serve` with these options on a free port, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "biobert", "serve", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as stream:
        process = psutil.Popen(
            [*command, *map(str, options)], stderr=stream, stdout=subprocess.DEVNULL
        )
        service = RunningService(process, f"http://127.0.0.1:{port}", Path(folder) / "log")
        try:
            wait_until_ready(service)
            yield service
        finally:
            process.terminate()
            try:
                process.wait(120)
            except psutil.TimeoutExpired:
                process.kill()


def wait_until_ready(service: RunningService) -> None:
    until = time.monotonic() + LONGEST_START_SECONDS
    while not service.is_ready():
        if not service.process.is_running() or time.monotonic() > until:
            raise SystemExit(f"the service did not start:\n{service.log.read_text()}")
        time.sleep(0.1)
