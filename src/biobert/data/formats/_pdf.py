"""The text layer of a PDF's pages, read in a process that may take no more than it is given.

A PDF is a program: forms that draw one another let a page of a few bytes run for years, and a
damaged file fails in as many ways as pypdf has lines. None of it reaches the process that asks.
"""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

MODULE = "biobert.data.formats._pdf"
ENCRYPTED = "it is encrypted: save it without a password and its permissions"
TIMEOUT_MARGIN_SECONDS = 5.0
LOOK_SECONDS = 0.2
"""How often is asked whether the pages are still wanted."""


@dataclass(frozen=True, slots=True)
class PdfLimits:
    """How much one PDF may take: seconds of a core, bytes of memory, pages and characters."""

    seconds: int = 60
    memory_bytes: int = 1 << 30
    pages: int = 2_000
    characters: int = 20_000_000


@dataclass(frozen=True, slots=True)
class PdfPages:
    """The text of each page, or the reason why there is none."""

    texts: tuple[str, ...] = ()
    problem: str = ""


def read_pages(
    data: bytes, limits: PdfLimits = PdfLimits(), check: Callable[[], None] = lambda: None
) -> PdfPages:
    """What a process of its own finds in the bytes of a PDF.

    `check` is called again and again meanwhile; what it raises ends the process too.
    """
    given = (limits.seconds, limits.memory_bytes, limits.pages, limits.characters)
    # -P: nothing is imported from the folder where this happens to run.
    command = [sys.executable, "-P", "-m", MODULE, *map(str, given)]
    try:
        done = _run(command, data, limits.seconds + TIMEOUT_MARGIN_SECONDS, check)
    except subprocess.TimeoutExpired:
        return PdfPages(problem=f"it is not read within {limits.seconds} seconds")
    if done.returncode < 0:
        return PdfPages(problem=f"it takes more than {limits.seconds} seconds or too much memory")
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return PdfPages(problem=f"damaged PDF: {last[:200]}")
    found = json.loads(done.stdout)
    return PdfPages(tuple(found["texts"]), found["problem"])


def _run(
    command: Sequence[str], data: bytes, seconds: float, check: Callable[[], None]
) -> subprocess.CompletedProcess[bytes]:
    """What the command says of the data; it is killed where its time is over or `check` raises."""
    pipe = subprocess.PIPE
    until, unsent = time.monotonic() + seconds, data
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            while True:
                try:
                    said = process.communicate(unsent, timeout=LOOK_SECONDS)
                    return subprocess.CompletedProcess(command, process.returncode, *said)
                except subprocess.TimeoutExpired:
                    # It goes on with what it was given the first time.
                    unsent = b""
                    check()
                    if time.monotonic() > until:
                        raise
        finally:
            process.kill()


def _main(arguments: list[str]) -> None:
    """Pages of the PDF on standard input as JSON on standard output."""
    limits = PdfLimits(*map(int, arguments))
    _bound(limits)
    # What pypdf says of a file that it mends is for whoever repairs files.
    logging.disable(logging.CRITICAL)
    found = _extract(sys.stdin.buffer.read(), limits)
    answer = {"texts": found.texts, "problem": found.problem}
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii"))


def _bound(limits: PdfLimits) -> None:
    """Let the system end this process where it takes too much."""
    if sys.platform == "win32":
        return
    import resource

    for what, most in (
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _extract(data: bytes, limits: PdfLimits) -> PdfPages:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    try:
        reader = PdfReader(BytesIO(data))
    except (DependencyError, NotImplementedError):
        # It tries the empty password at once, and cannot for every kind of encryption.
        return PdfPages(problem=ENCRYPTED)
    if reader.is_encrypted:
        return PdfPages(problem=ENCRYPTED)
    if len(reader.pages) > limits.pages:
        return PdfPages(problem=f"more than {limits.pages} pages: split it")
    texts: list[str] = []
    characters = 0
    for page in reader.pages:
        texts.append(page.extract_text())
        characters += len(texts[-1])
        if characters > limits.characters:
            return PdfPages(problem=f"more than {limits.characters} characters: split it")
    return PdfPages(tuple(texts))


if __name__ == "__main__":
    _main(sys.argv[1:])
