"""Opening files: packed ones by ending, `-` for the standard streams, whole-or-nothing writing.

Standard input, which has no ending, is unpacked where it begins as packed files do.
"""

import bz2
import gzip
import hashlib
import json
import lzma
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from io import BufferedIOBase, BufferedReader, BytesIO, TextIOWrapper
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from biobert.core.decoding import BLOCK_BYTES, Utf8
from biobert.core.errors import BadInputError, BiobertError

STANDARD_STREAM = "-"
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
STARTS = {
    ".gz": re.compile(rb"\x1f\x8b\x08"),
    # A text may begin with the first three letters: the number of a block or of the end follows.
    ".bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    ".xz": re.compile(rb"\xfd7zXZ\0"),
}
"""What packed files begin with."""
TAR_ENDINGS = {".tgz": ".gz", ".tbz2": ".bz2", ".txz": ".xz"}
"""Short for `.tar` and an ending of compression."""
LONGEST_LINE = 20_000_000
"""In characters: no honest record is longer, and a bomb stays small."""
CHUNK_BYTES = 1 << 20
UNWRITABLE = re.compile("[\ud800-\udfff]")
"""What Python makes of the bytes of a file name that are no UTF-8."""
DISK = "disk"
"""The code of the error for a full disk."""
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError)
"""What a packed file raises that is damaged or breaks off."""


class InMemoryFile(str):
    """The name of a file that is nowhere but in memory, with its bytes.

    What takes a path reads it like a file; what is written to it is in `content` afterwards.
    """

    content: bytes

    def __new__(cls, name: str, content: bytes = b"") -> "InMemoryFile":
        """A name with the bytes behind it; without an ending of compression they are plain."""
        made = super().__new__(cls, name)
        made.content = content
        return made


def writable(text: str) -> str:
    """The text with U+FFFD for what no file in UTF-8 can hold: bytes of a name in another code."""
    return UNWRITABLE.sub("\ufffd", text)


def shown_name(path: Path | str) -> str:
    """The last part of a path as it can be written and printed."""
    return writable(Path(path).name)


def plain_name(path: Path | str) -> str:
    """The file's shown name without a compression ending, and its own in small letters.

    `A.XML.GZ` is `A.xml`, and `a.tgz` is `a.tar`.
    """
    place = Path(shown_name(path))
    ending = place.suffix.lower()
    if ending in TAR_ENDINGS:
        return f"{place.stem}.tar"
    plain = Path(place.stem) if ending in OPENERS else place
    return f"{plain.stem}{plain.suffix.lower()}"


@contextmanager
def open_binary(path: Path | str) -> Iterator[BinaryIO]:
    """Bytes of a file, unpacked as its name ends (`.gz`, `.bz2`, `.xz`).

    `-` is standard input, unpacked as it begins.
    """
    if isinstance(path, InMemoryFile):
        yield BytesIO(path.content)
        return
    if str(path) == STANDARD_STREAM:
        with _damage_named("standard input"):
            yield _unpacked(sys.stdin.buffer)
        return
    place = Path(path)
    if not place.is_file():
        raise BadInputError(f"no such file: {place}", code="not-found")
    with _damage_named(place), _opener(place)(place, "rb") as stream:
        yield cast(BinaryIO, stream)


def beginning_of_input() -> bytes:
    """What standard input begins with, unpacked, as far as it is there; all is still to be read.

    Raises BadInputError where it is packed and damaged.
    """
    with _damage_named("standard input"):
        stream: Any = _unpacked(sys.stdin.buffer)
        return bytes(stream.peek(1)) if hasattr(stream, "peek") else b""


class Eager:
    """A stream that gives what there is, so that all which stands before a damage is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = cast(BufferedIOBase, stream)

    def read(self, size: int) -> bytes:
        """At most so many bytes; fewer do not mean the end, none do."""
        return self._stream.read1(size)


@contextmanager
def open_utf8(path: Path | str, lost: Callable[[int], None]) -> Iterator[BinaryIO]:
    """The bytes of a text in UTF-8, like `open_binary`, decoded as its byte-order mark tells.

    The mark is dropped. What cannot be decoded becomes U+FFFD, so one bad byte never stops a run;
    `lost` is told in the end how many of these stand in what was read, if any.
    """
    with open_binary(path) as stream:
        decoded = Utf8(Eager(stream))
        try:
            yield BufferedReader(decoded, BLOCK_BYTES)
        finally:
            if decoded.lost:
                lost(decoded.lost)


@contextmanager
def open_text(path: Path | str, lost: Callable[[int], None]) -> Iterator[IO[str]]:
    """The text of a file, like `open_utf8`.

    Line ends are kept as they are, so that character offsets stay true.
    """
    with open_utf8(path, lost) as stream:
        yield TextIOWrapper(stream, encoding="utf-8", newline="")


def bounded_lines(stream: IO[str], longest: int = LONGEST_LINE) -> Iterator[tuple[int, str | None]]:
    """Line numbers and lines; None stands for a line that is too long to be read."""
    number = 0
    while line := stream.readline(longest + 1):
        number += 1
        if len(line) <= longest or line.endswith(("\n", "\r")):
            yield number, line
            continue
        while (rest := stream.readline(longest)) and not rest.endswith(("\n", "\r")):
            pass
        yield number, None


def read_at_most(stream: BinaryIO | IO[bytes], limit: int) -> bytes | None:
    """All bytes of a stream, or None when there are more than `limit`."""
    content = bytearray()
    while block := stream.read(CHUNK_BYTES):
        content += block
        if len(content) > limit:
            return None
    return bytes(content)


def read_json(path: Path, *, missing: str) -> dict[str, Any]:
    """The JSON object of a file; `missing` is the error where there is no such file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInputError(missing, code="not-found") from None
    except OSError as problem:
        raise BadInputError(f"{path}: {problem.strerror}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as problem:
        raise BadInputError(f"{path}: not valid JSON: {problem}") from None
    if not isinstance(values, dict):
        raise BadInputError(f"{path}: not a JSON object")
    return values


@contextmanager
def write_text(path: Path | str) -> Iterator[IO[str]]:
    """A text file that appears whole or not at all; `-` is standard output.

    What a link points to is written, and pipes and devices are written to as they are.
    """
    if isinstance(path, InMemoryFile):
        written = BytesIO()
        with TextIOWrapper(written, encoding="utf-8", newline="") as text:
            yield text
            text.flush()
            path.content = written.getvalue()
        return
    if str(path) == STANDARD_STREAM:
        yield sys.stdout
        sys.stdout.flush()
        return
    place = Path(path)
    packed = partial(_opener(place), mode="wt", encoding="utf-8", newline="")
    if place.exists() and not place.is_file():
        with packed(place) as stream:
            yield cast(IO[str], stream)
        return
    target = place.resolve()
    with temporary_sibling(target) as unfinished:
        with packed(unfinished) as stream:
            yield cast(IO[str], stream)
        os.replace(unfinished, target)


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears whole, and on the disk, or not at all; a full disk is named."""
    try:
        with temporary_sibling(path) as unfinished:
            with unfinished.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(path)
    except OSError as problem:
        raise unwritten(path, problem) from None


def unwritten(path: Path, problem: object) -> BiobertError:
    """The error for a file that found no room on the disk."""
    return BiobertError(f"{path} could not be written: {problem}; make room on the disk", code=DISK)


@contextmanager
def temporary_sibling(path: Path) -> Iterator[Path]:
    """A hidden name beside `path`, on the same disk; removed if still there at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_all(paths: Iterable[Path]) -> str:
    """The SHA-256 of a file; of several, that of their checksums one after another."""
    sums = [sha256_of(path) for path in paths]
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def files_at(place: Path) -> list[Path]:
    """The file itself; of a folder the files in it, by name."""
    if place.is_dir():
        return [path for path in sorted(place.iterdir()) if path.is_file()]
    return [place]


@contextmanager
def _damage_named(name: Path | str) -> Iterator[None]:
    """Says of which input it is that its packed bytes are damaged."""
    try:
        yield
    except (OSError, *DAMAGE) as problem:
        # bz2 tells damage by an OSError, which has no number as those of the system have.
        if isinstance(problem, OSError) and problem.errno is not None:
            raise
        raise BadInputError(f"{name}: damaged or cut short: {problem}") from None


@lru_cache(maxsize=1)
def _unpacked(stream: BinaryIO) -> BinaryIO:
    """The stream, unpacked as it begins; one and the same for each, which holds what is unread."""
    head = stream.peek() if isinstance(stream, BufferedReader) else b""
    ending = next((one for one, start in STARTS.items() if start.match(head)), None)
    return stream if ending is None else cast(BinaryIO, OPENERS[ending](stream, "rb"))


def _opener(path: Path):  # type: ignore[no-untyped-def]
    ending = path.suffix.lower()
    return OPENERS.get(TAR_ENDINGS.get(ending, ending), open)
