"""Running a service: one process or several, until it is told to stop."""

import functools
import logging
import os
import signal
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from biobert.core.errors import BadInputError, BiobertError
from biobert.runtime.settings import available_cores
from biobert.serving.connections import BoundedConfig, BoundedProtocol, room_for_connections
from biobert.serving.http import build_service
from biobert.serving.logs import configure, log
from biobert.serving.models import check_models
from biobert.serving.security import Doorkeeper
from biobert.serving.service import WorkersShare
from biobert.serving.settings import ServiceSettings, is_loopback

SHUTDOWN_MARGIN_SECONDS = 5
WORKER_SECONDS = 30
"""How long a worker may not answer its parent: importing and loading keep it from that."""
TRY_AGAIN_SECONDS = 10
"""How long after a worker that cannot start the next one is tried."""
BACKLOG = 64
"""Connections that wait to be taken; the loop tries to take as many in one go, and logs as often
where it cannot."""


def run_service(settings: ServiceSettings, shared_folder: Path) -> None:
    """Serve until SIGTERM or SIGINT; what was taken before is answered.

    In `shared_folder`, an empty one, several workers keep their figures and tell of reloads.
    Raises BadInputError where it cannot start.
    """
    configure()
    _check_certificate(settings)
    _warn(settings)
    settings = _within_open_files(settings)
    if settings.workers == 1:
        _run_alone(settings)
    else:
        _run_several(settings, shared_folder)


def _run_alone(settings: ServiceSettings) -> None:
    # uvicorn shuts down at SIGTERM and then raises the signal again: this makes it an exit.
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        service = build_service(settings)
        uvicorn.Server(BoundedConfig(service, **_options(settings))).run()
    except SystemExit as leaving:
        if leaving.code == STARTUP_FAILURE:
            raise _cannot_listen(settings) from None
        if leaving.code:
            raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _run_several(settings: ServiceSettings, shared_folder: Path) -> None:
    if settings.runtime.threads is None:
        # Together they may use the machine, not each of them.
        threads = max(1, available_cores() // settings.workers)
        settings = replace(settings, runtime=replace(settings.runtime, threads=threads))
    # What can be known without loading is said here, and at once.
    check_models(settings.models)
    Doorkeeper(settings.security)
    shared = WorkersShare(shared_folder, get_context("spawn").Event())
    make = functools.partial(_worker, settings, shared)
    config = BoundedConfig(make, factory=True, workers=settings.workers, **_options(settings))
    try:
        listening = config.bind_socket()
    except SystemExit:
        raise _cannot_listen(settings) from None
    workers = Supervisor(config, sockets=[listening])
    with held(shared_folder):
        workers.run()
    if any(one.exitcode == STARTUP_FAILURE for one in workers.processes):
        raise BadInputError("a worker could not start; the log says why")


class Supervisor(Multiprocess):
    """uvicorn's own, but one that sees at once that a worker died while it was asked whether it
    lives: uvicorn's would await the answer for WORKER_SECONDS."""

    def keep_subprocess_alive(self) -> None:
        """Replace the workers that do not live."""
        for worker in self.processes:
            # While the parent holds a worker's end of the pipe too, the pipe outlives the worker.
            worker.child_conn.close()
        super().keep_subprocess_alive()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep a temporary folder from systemd-tmpfiles, which clears away what is older than days but
    not what is locked."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def _worker(settings: ServiceSettings, shared: WorkersShare) -> FastAPI:
    """The application of a worker process.

    Where it cannot start, none is tried again and the service ends. Where others of its workers
    have begun to answer, they go on, and one is tried again later.
    """
    configure()
    try:
        return build_service(settings, shared)
    except BiobertError as problem:
        log("cannot-start", level=logging.ERROR, reason=str(problem))
        if not shared.has_opened.is_set():
            sys.exit(STARTUP_FAILURE)
        time.sleep(TRY_AGAIN_SECONDS)
        # At once: of one that takes its time to end the parent awaits an answer, and does nothing
        # else, for WORKER_SECONDS.
        os._exit(1)


def _options(settings: ServiceSettings) -> dict[str, Any]:
    limits = settings.limits
    return {
        "host": settings.host,
        "port": settings.port,
        "http": BoundedProtocol,
        "ws": "none",
        "lifespan": "on",
        # Set up by `configure`, in each process.
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "limit_concurrency": limits.connections,
        "backlog": BACKLOG,
        "timeout_keep_alive": limits.idle_seconds,
        "h11_max_incomplete_event_size": limits.head_bytes,
        "timeout_graceful_shutdown": int(
            limits.body_seconds + limits.request_seconds + SHUTDOWN_MARGIN_SECONDS
        ),
        "timeout_worker_healthcheck": WORKER_SECONDS,
        "ssl_certfile": settings.certificate,
        "ssl_keyfile": settings.private_key,
    }


def _check_certificate(settings: ServiceSettings) -> None:
    if settings.certificate is None or settings.private_key is None:
        return
    try:
        # Without one an encrypted key asks for it, of a service that nobody watches.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.certificate, settings.private_key, password=""
        )
    except OSError as problem:
        raise BadInputError(
            f"{settings.certificate} and {settings.private_key}: {problem.strerror or problem}; "
            "they must be a PEM certificate and its key without a password"
        ) from None


def _within_open_files(settings: ServiceSettings) -> ServiceSettings:
    """The settings, with no more connections than there are files for."""
    wanted = settings.limits.connections
    most = room_for_connections(wanted)
    if most < 1:
        raise BadInputError("too few open files are allowed to serve anyone; raise `ulimit -n`")
    if most < wanted:
        log("fewer-connections", connections=most, wanted=wanted, cure="raise `ulimit -Hn`")
    return replace(settings, limits=replace(settings.limits, connections=most))


def _warn(settings: ServiceSettings) -> None:
    """Say aloud what is allowed and seldom meant."""
    if is_loopback(settings.host):
        return
    if settings.security.keys is None:
        log("open-to-everyone", cure="start with --keys FILE")
    if settings.certificate is None:
        log("not-encrypted", cure="give --tls-certificate and --tls-key, or put a proxy in front")


def _cannot_listen(settings: ServiceSettings) -> BadInputError:
    return BadInputError(
        f"cannot listen on {settings.host} port {settings.port}; is it in use? the log says why"
    )


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise SystemExit(0)
