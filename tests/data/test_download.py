"""Fetching from servers that stall, truncate, lie and refuse."""

import errno
import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from biobert.core.errors import BadInputError, BiobertError
from biobert.data.download import FetchSettings, fetch

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = FetchSettings(tries=4, timeout_seconds=0.5, first_wait_seconds=0.01)


class _Server(BaseHTTPRequestHandler):
    """Each path is a kind of server; `seen` counts the requests, `ranges` what was asked for."""

    seen = 0
    ranges: list[str | None] = []  # noqa: RUF012
    leave = threading.Event()

    def do_GET(self) -> None:
        type(self).seen += 1
        asked = self.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        getattr(self, "do_" + self.path.strip("/"))(start)

    def do_good(self, start: int) -> None:
        self._send(CONTENT[start:], partial=start > 0)

    def do_truncates(self, start: int) -> None:
        whole = CONTENT[start:]
        self._send(whole[: len(whole) // 2 + 1], length=len(whole), partial=start > 0)

    def do_ignoresrange(self, start: int) -> None:
        self._send(CONTENT[:1000], length=len(CONTENT)) if self.seen == 1 else self._send(CONTENT)

    def do_stalls(self, start: int) -> None:
        if self.seen > 1:
            self._send(CONTENT[start:], partial=start > 0)
            return
        self._send(CONTENT[:5000], length=len(CONTENT))
        self.wfile.flush()
        self.leave.wait(5)

    def do_wrong(self, start: int) -> None:
        self._send(b"something else"[start:], partial=start > 0)

    def do_lies(self, start: int) -> None:
        self._send(CONTENT[start:], length=10, partial=start > 0)

    def do_fails(self, start: int) -> None:
        if self.seen < 3:
            self.send_error(503)
        else:
            self._send(CONTENT[start:], partial=start > 0)

    def do_gone(self, start: int) -> None:
        self.send_error(404)

    def do_done(self, start: int) -> None:
        self.send_error(416)

    def _send(self, body: bytes, *, length: int | None = None, partial: bool = False) -> None:
        self.send_response(206 if partial else 200)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    _Server.seen, _Server.ranges, _Server.leave = 0, [], threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    _Server.leave.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kind", ["good", "truncates", "ignoresrange", "stalls", "fails"])
def test_a_file_comes_whole_whatever_the_server_does(
    address: str, kind: str, tmp_path: Path
) -> None:
    settings = FetchSettings(tries=25, timeout_seconds=0.5, first_wait_seconds=0.0)
    path = fetch(f"{address}/{kind}", tmp_path / "deep" / "file", sha256=SHA256, settings=settings)
    assert path.read_bytes() == CONTENT
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def test_a_part_is_gone_on_with(address: str, tmp_path: Path) -> None:
    (tmp_path / ".file.part").write_bytes(CONTENT[:1234])
    fetch(f"{address}/good", tmp_path / "file", sha256=SHA256, settings=QUICK)
    assert _Server.ranges == ["bytes=1234-"]


def test_a_part_that_is_whole_needs_nothing_more(address: str, tmp_path: Path) -> None:
    (tmp_path / ".file.part").write_bytes(CONTENT)
    path = fetch(f"{address}/done", tmp_path / "file", sha256=SHA256, settings=QUICK)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["wrong", "lies"])
def test_what_is_not_the_file_is_not_kept(address: str, kind: str, tmp_path: Path) -> None:
    with pytest.raises(BiobertError, match=r"checksum|closed") as caught:
        fetch(f"{address}/{kind}", tmp_path / "file", sha256=SHA256, settings=QUICK)
    assert caught.value.code == "download"
    assert not (tmp_path / "file").exists()


def test_a_wrong_address_fails_at_once(address: str, tmp_path: Path) -> None:
    with pytest.raises(BiobertError, match="404"):
        fetch(f"{address}/gone", tmp_path / "file", settings=QUICK)
    assert _Server.seen == 1


def test_other_schemes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="only http and https"):
        fetch("file:///etc/passwd", tmp_path / "file")


def test_endless_files_are_stopped(address: str, tmp_path: Path) -> None:
    settings = FetchSettings(maximum_bytes=1000)
    with pytest.raises(BiobertError, match="more than 1000 bytes"):
        fetch(f"{address}/good", tmp_path / "file", settings=settings)
    assert not (tmp_path / "file").exists()


def test_a_file_system_without_locks_will_do(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(stream: object, operation: int) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr("fcntl.flock", refuse)
    number = errno.ENOLCK
    fetch(f"{address}/good", tmp_path / "file", sha256=SHA256, settings=QUICK)
    number = errno.EIO
    with pytest.raises(OSError, match="no"):
        fetch(f"{address}/good", tmp_path / "other", settings=QUICK)


def test_many_who_want_one_file_fetch_it_once(address: str, tmp_path: Path) -> None:
    def get(_: int) -> Path:
        return fetch(f"{address}/stalls", tmp_path / "file", sha256=SHA256, settings=QUICK)

    with ThreadPoolExecutor(3) as pool:
        assert {one.read_bytes() for one in pool.map(get, range(3))} == {CONTENT}
    assert _Server.seen == 2
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
