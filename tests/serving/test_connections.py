"""Connections that hold nothing up: those that do not shake hands, and those that do not read."""

import asyncio
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from biobert.serving.connections import BoundedConfig, BoundedProtocol

ANSWER = b"x" * 16_000_000
"""More than sockets hold."""


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive
    headers = [(b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


@asynccontextmanager
async def answering() -> AsyncIterator[uvicorn.Server]:
    """A server that waits for a second."""
    config = BoundedConfig(
        answer, port=0, http=BoundedProtocol, ws="none", lifespan="off", log_config=None,
        access_log=False, timeout_keep_alive=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server
    finally:
        server.should_exit = server.force_exit = True
        await running


@contextmanager
def asking(server: uvicorn.Server, head: bytes = b"") -> Iterator[socket.socket]:
    """A client that has asked, and whose kernel takes little of the answer before it is read."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.connect(server.servers[0].sockets[0].getsockname())
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
        client.setblocking(False)
        yield client


def test_who_reads_steadily_gets_the_whole_answer() -> None:
    async def read() -> int:
        count = 0
        async with answering() as server:
            with asking(server) as client:
                while count < len(ANSWER):
                    part = await asyncio.get_running_loop().sock_recv(client, 100_000)
                    assert part, f"closed after {count} bytes"
                    count += len(part)
                    await asyncio.sleep(len(part) / 5_000_000)
        return count

    assert asyncio.run(read()) > len(ANSWER)


@pytest.mark.parametrize("head", [b"", b"Connection: close\r\n"])
def test_who_reads_nothing_is_closed(head: bytes) -> None:
    async def close() -> None:
        async with answering() as server:
            connections = server.server_state.connections
            with asking(server, head):
                async with asyncio.timeout(20.0):
                    while not connections:
                        await asyncio.sleep(0.01)
                    while connections:
                        await asyncio.sleep(0.1)

    asyncio.run(close())


def test_connections_that_never_shake_hands_are_closed() -> None:
    async def heard() -> bytes:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=context)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            said = await asyncio.wait_for(reader.read(), 20.0)
            writer.close()
            return said

    config = BoundedConfig("", timeout_keep_alive=1)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        assert runner.run(heard()) == b""


LIMITED = """
import resource
from biobert.core.errors import BadInputError
from biobert.serving import server
from biobert.serving.settings import ServiceSettings

resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
server.configure()
server._run_alone = lambda settings: print(
    settings.limits.connections,
    resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    server._options(settings)["backlog"],
)
try:
    server.run_service(ServiceSettings(), None)
except BadInputError as problem:
    print(problem)
"""


@pytest.mark.parametrize(
    ("soft", "hard", "said", "logged"),
    [
        (1024, 4096, "512 1088 64", ""),
        (2000, 4096, "512 2000 64", ""),
        (512, 1024, "480 1024 64", "fewer-connections"),
        (65, 65, "too few open files", ""),
    ],
)
def test_no_more_connections_are_held_than_there_are_files_for(
    soft: int, hard: int, said: str, logged: str
) -> None:
    """Otherwise probes are not answered, and the log is full of what cannot be taken."""
    code = LIMITED.format(soft=soft, hard=hard)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(said), done.stdout
    assert logged in done.stderr and bool(logged) is bool(done.stderr)
