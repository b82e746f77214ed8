"""A real browser for the page of a service: Debian's Chromium, driven by Playwright."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from biobert.core.document import Document
from biobert.core.settings import from_mapping
from biobert.data.formats.jsonl import document_from_json
from biobert.serving.connections import BoundedProtocol
from biobert.serving.http import build_service
from biobert.serving.settings import ServiceSettings

HOSTILE = "<img src=x onerror=alert(1)>"
SHOWN = """() => {
  const found = new Map();
  for (const mark of document.querySelectorAll('#reading mark:not(.off)')) {
    const old = found.get(mark.dataset.number) ?? '';
    found.set(mark.dataset.number, old + mark.textContent);
  }
  return [...found.values()];
}"""
CHROMIUM = Path("/usr/bin/chromium")
DEFECTS = ("Content Security Policy", "Content-Security-Policy", "TrustedHTML", "Refused to")
WITHOUT_ANSWERS = "Failed to load resource"
"""What the console says of each answer that is an error: no defect of the page."""


@contextmanager
def address_of(**tables: Any) -> Iterator[str]:
    """A service on a free port of this machine, from the tables of its settings."""
    settings = from_mapping(ServiceSettings, tables, place="test")
    application = build_service(settings)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application,
        http=BoundedProtocol,
        log_config=None,
        lifespan="on",
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.private_key,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        scheme = "http" if settings.certificate is None else "https"
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@contextmanager
def browser() -> Iterator[Any]:
    """A headless browser, or a skipped test where there is none."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.is_file():
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium")
    with driver.sync_playwright() as playwright:
        # The sandbox of Chromium does not start for root, as in containers.
        found = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False)
        yield found
        found.close()


@contextmanager
def opened(found: Any, address: str, **options: Any) -> Iterator[Any]:
    """The page, ready to be used; what the browser complains of fails the test."""
    context = found.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("console", lambda one: complaints.append(one.text))
    page.on("pageerror", lambda one: complaints.append(str(one)))
    page.on("dialog", lambda one: complaints.append(f"dialog {one.message}"))
    page.goto(address)
    page.wait_for_selector("body:not(.waiting)")
    yield page
    context.close()
    assert [one for one in complaints if WITHOUT_ANSWERS not in one] == []


def annotate(page: Any, text: str | None = None) -> dict[str, Any]:
    """What the service answers when the text is annotated, after the page shows it."""
    if text is not None:
        page.fill("#text", text)
    with page.expect_response("**/v1/annotate*") as asked:
        page.click("#annotate")
    answer: dict[str, Any] = asked.value.json()
    page.wait_for_selector("body:not(.busy)")
    return answer


def document_of(answer: dict[str, Any], place: int = 0) -> Document:
    return document_from_json(answer["documents"][place])


def until(page: Any, script: str) -> None:
    """Wait for a script to give true; Playwright's own way evaluates text, which the page bars."""
    for _ in range(200):
        if page.evaluate(script):
            return
        page.wait_for_timeout(50)
    raise AssertionError(script)


def mentions(document: Document, least: float = 0.0) -> list[str]:
    return sorted(document.mention(one) for one in document.entities if (one.score or 0) >= least)


def upload(page: Any, name: str, content: bytes) -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "", "buffer": content})
    page.wait_for_selector("#file-card:not([hidden])")
