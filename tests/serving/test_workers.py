"""Workers that die are replaced, whatever their parent is doing."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from uvicorn.supervisors.multiprocess import SIGNALS

from biobert.serving.server import Supervisor

HEALTH_CHECK_SECONDS = 60


async def application(*given: object) -> None:
    """Answers nothing: these workers are only asked whether they live."""


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """One with a worker, whose signals are those of the tests again at the end."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    config = uvicorn.Config(
        application, workers=1, timeout_worker_healthcheck=HEALTH_CHECK_SECONDS, log_config=None
    )
    supervisor = Supervisor(config, sockets=[])
    supervisor.init_processes()
    try:
        yield supervisor
    finally:
        for worker in supervisor.processes:
            worker.kill()
            worker.join()
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_worker_that_dies_while_it_is_asked_is_replaced_at_once(supervisor: Supervisor) -> None:
    (worker,) = supervisor.processes
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)  # It is alive, and answers nothing.
    killing = threading.Timer(1.0, os.kill, (worker.pid, signal.SIGKILL))
    killing.start()
    began = time.monotonic()
    supervisor.keep_subprocess_alive()
    assert time.monotonic() - began < HEALTH_CHECK_SECONDS / 2
    killing.join()
    (other,) = supervisor.processes
    assert other.pid != worker.pid and worker.exitcode == -signal.SIGKILL
