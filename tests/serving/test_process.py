"""`biobert serve` as a process: started, asked, held up, and told to stop."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from biobert import Annotator
from biobert.core.document import Document
from biobert.data.formats.jsonl import document_from_json
from biobert.serving.audit import check_log
from biobert.serving.keys import create_key
from tests.serving.texts import TEXTS

LONGEST_START_SECONDS = 120.0


@dataclass(frozen=True)
class Running:
    """A service process, its port and where its log goes."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def running(folder: Path, *options: object) -> Iterator[Running]:
    """`biobert serve` on a free port, until the block ends."""
    port = free_port()
    log = folder / "service.log"
    command = [sys.executable, "-m", "biobert", "serve", "--port", str(port)]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, *map(str, options)],
            stderr=stream,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    service = Running(process, port, log)
    try:
        wait_until_ready(service)
        yield service
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_until_ready(
    service: Running, path: str = "/readyz", seconds: float = LONGEST_START_SECONDS
) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert service.process.poll() is None, service.log.read_text()
        try:
            if httpx2.get(f"{service.address}{path}").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(service.log.read_text())


def is_closed(connection: socket.socket) -> bytes:
    """What the service says before it closes the connection."""
    connection.settimeout(20.0)
    content = b""
    while chunk := connection.recv(65536):
        content += chunk
    return content


def check_that_work_stops_for_who_is_gone(service: Running) -> None:
    """Requests wait a second for company here, and this client for less."""
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(f"{service.address}/v1/annotate", json={"text": TEXTS[0]}, timeout=0.3)
    until = time.monotonic() + 20.0
    while not any(one.get("code") == "client-gone" for one in service.events()):
        assert time.monotonic() < until, service.log.read_text()
        time.sleep(0.05)
    metrics = httpx2.get(f"{service.address}/metrics").text
    assert "biobert_queue_documents 0.0" in metrics
    assert "biobert_batch_windows_count 0.0" in metrics


def check_that_a_worker_that_cannot_start_stops_no_other(service: Running, model: Path) -> None:
    """One is killed, and what it would load is damaged."""
    started = [str(one["event"]) for one in service.events()]
    worker = next(re.search(r"server process \[(\d+)\]", one) for one in started if "server" in one)
    content = (model / "model.onnx").read_bytes()
    (model / "model.onnx").write_bytes(content[: len(content) // 2])
    os.kill(int(worker[1]), signal.SIGKILL)  # type: ignore[index]
    until = time.monotonic() + 60.0
    while not any(one["event"] == "cannot-start" for one in service.events()):
        assert time.monotonic() < until, service.log.read_text()
        time.sleep(0.1)
    # The parent looks twice a second for workers that ended.
    time.sleep(2.0)
    assert "stopping the parent" not in service.log.read_text()
    assert httpx2.get(f"{service.address}/livez").status_code == 200
    (model / "model.onnx").write_bytes(content)


def check_that_answers_must_be_read(service: Running, connections: int) -> None:
    """Clients that ask again and again and never read are closed, not waited for."""
    with ExitStack() as held:
        for _ in range(connections):
            one = held.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", service.port))
            one.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 300)
        assert httpx2.get(f"{service.address}/v1/models").status_code == 503
        wait_until_ready(service, "/v1/models", seconds=15.0)


def check_that_too_many_are_told_so(service: Running, connections: int) -> None:
    """And counted; probes are answered, or a service that is asked much would be killed for it."""
    place = ("127.0.0.1", service.port)
    with ExitStack() as held:
        for _ in range(connections):
            held.enter_context(socket.create_connection(place))
        for path, status in (("/v1/models", b"503"), ("/livez", b"200"), ("/readyz", b"200")):
            late = held.enter_context(socket.create_connection(place))
            late.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            answer = is_closed(late)
            assert answer.startswith(b"HTTP/1.1 " + status)
            assert (b"retry-after: 1\r\n" in answer) is (status == b"503")
        metrics = httpx2.get(f"{service.address}/metrics").text
    assert 'biobert_refusals_total{code="too-many-connections"} 1.0' in metrics
    assert any(one.get("code") == "too-many-connections" for one in service.events())


def test_what_was_taken_is_answered_after_sigterm(tmp_path: Path) -> None:
    _, key = create_key(tmp_path / "keys.json", "lab")
    options = (
        "--keys", tmp_path / "keys.json", "--audit-log", tmp_path / "audit.jsonl",
        # Requests wait for company long enough to be in flight when the signal comes.
        "--set", "batching.wait_milliseconds=1000", "--set", "batching.tokens=100000",
    )  # fmt: skip
    expected = list(Annotator().annotate_many(Document("1", text) for text in TEXTS))
    # One client for all requests, which are to come together: making one takes a tenth of a second.
    with running(tmp_path, *options) as service, httpx2.Client() as client:

        def ask(text: str) -> Document:
            found = client.post(
                f"{service.address}/v1/annotate",
                json={"text": text},
                headers={"authorization": f"Bearer {key}"},
                timeout=60.0,
            )
            assert found.status_code == 200, found.text
            return document_from_json(found.json()["documents"][0])

        with ThreadPoolExecutor(len(TEXTS)) as clients:
            asking = [clients.submit(ask, text) for text in TEXTS]
            time.sleep(0.6)
            assert not any(one.done() for one in asking)
            service.process.send_signal(signal.SIGTERM)
            assert [one.result() for one in asking] == expected
        assert service.process.wait(60) == 0
        events = service.events()
    answered = [one for one in events if one.get("endpoint") == "/v1/annotate"]
    assert [one["status"] for one in answered] == [200] * len(TEXTS)
    assert check_log(tmp_path / "audit.jsonl") == len(TEXTS)
    assert key not in service.log.read_text() and "Aspirin" not in service.log.read_text()


def test_clients_that_are_slow_or_many_or_gone(tmp_path: Path) -> None:
    limits = ("idle_seconds=1", "body_seconds=1.0", "connections=5", "head_bytes=2000")
    batching = ("wait_milliseconds=1000", "tokens=100000")
    options = [part for one in limits for part in ("--set", f"limits.{one}")]
    options += [part for one in batching for part in ("--set", f"batching.{one}")]
    with running(tmp_path, *options) as service:
        place = ("127.0.0.1", service.port)
        began = time.monotonic()
        with socket.create_connection(place) as silent, socket.create_connection(place) as half:
            half.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n")
            time.sleep(0.7)
            half.sendall(b"X-More: trickles\r\n")
            assert is_closed(silent) == b"" and is_closed(half) == b""
        assert 0.9 < time.monotonic() - began < 10.0
        with socket.create_connection(place) as slow:
            slow.sendall(
                b"POST /v1/annotate HTTP/1.1\r\nHost: localhost\r\n"
                b'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"text"'
            )
            answer = is_closed(slow)
        assert answer.startswith(b"HTTP/1.1 408") and b'"slow-body"' in answer
        with socket.create_connection(place) as long:
            long.sendall(b"GET /livez HTTP/1.1\r\nX: " + b"a" * 5000)
            assert is_closed(long).startswith(b"HTTP/1.1 400")
        check_that_too_many_are_told_so(service, connections=5)
        wait_until_ready(service, "/v1/models")
        check_that_answers_must_be_read(service, connections=5)
        check_that_work_stops_for_who_is_gone(service)


def test_several_workers_are_one_service(tmp_path: Path) -> None:
    _, key = create_key(tmp_path / "keys.json", "admin", role="admin")
    headers = {"x-api-key": key}
    import shutil

    from biobert.pipeline.load import model_folder
    from tests.serving.test_models import put_version

    shutil.copytree(model_folder("embedded"), tmp_path / "model")
    options = (
        "--workers",
        2,
        "--model",
        f"mine={tmp_path / 'model'}",
        "--keys",
        tmp_path / "keys.json",
        "--set",
        "security.requests_per_minute=100000",
        "--set",
        "security.burst=1000",
    )
    with running(tmp_path, *options) as service:

        def version() -> str:
            found = httpx2.post(
                f"{service.address}/v1/annotate", json={"text": TEXTS[0]}, headers=headers
            )
            return str(found.json()["model"]["version"])

        assert {version() for _ in range(10)} == {"1"}
        put_version(tmp_path / "model", "2")
        reload = f"{service.address}/v1/models/reload"
        found = httpx2.post(reload, json={"model": "mine"}, headers=headers, timeout=60.0)
        assert found.status_code == 200, found.text
        until = time.monotonic() + 30.0
        while {version() for _ in range(10)} != {"2"}:
            assert time.monotonic() < until, service.log.read_text()
        metrics = httpx2.get(f"{service.address}/metrics", headers=headers).text
        counted = next(one for one in metrics.splitlines() if one.startswith("biobert_documents_t"))
        assert float(counted.rpartition(" ")[2]) >= 20
        assert 'biobert_model_reloads_total{model="mine",outcome="done"} 2.0' in metrics
        check_that_a_worker_that_cannot_start_stops_no_other(service, tmp_path / "model")
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0


def test_workers_are_not_started_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    command = [sys.executable, "-m", "biobert", "serve", "--port", "0", "--workers", "2"]
    done = subprocess.run(
        [*command, "--model", str(tmp_path / "model"), "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "biobert.json" in json.loads(done.stdout)["error"]["message"]
