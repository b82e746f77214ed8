"""Texts in UTF-8, whichever Unicode encoding the byte-order mark at their beginning tells."""

import codecs
from io import RawIOBase
from typing import Any, Protocol

BLOCK_BYTES = 1 << 16
LOST = "\ufffd"
"""Stands for what could not be decoded."""
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    # Before UTF-16, whose mark is the beginning of this one.
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
LONGEST_MARK = max(map(len, MARKS))


class Bytes(Protocol):
    """A stream that is read."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        ...


class Utf8(RawIOBase):
    """The bytes of a text in UTF-8, without its byte-order mark.

    `lost` counts the characters that could not be decoded so far; U+FFFD stands for each.
    """

    def __init__(self, stream: Bytes) -> None:
        self.lost = 0
        self._stream = stream
        self._decoder: codecs.IncrementalDecoder | None = None
        self._ready = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as one block of the stream goes; 0 at the end."""
        ended = False
        while not self._ready and not ended:
            self._ready, ended = self._next()
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def _next(self) -> tuple[bytes, bool]:
        """What the next block of the stream is in UTF-8, and whether it is the last."""
        block = self._stream.read(BLOCK_BYTES)
        ended = not block
        if self._decoder is None:
            while len(block) < LONGEST_MARK and (more := self._stream.read(BLOCK_BYTES)):
                block += more
            mark = next((one for one in MARKS if block.startswith(one)), b"")
            self._decoder = codecs.getincrementaldecoder(MARKS.get(mark, "utf-8"))("replace")
            block = block[len(mark) :]
        return self._decoded(block, self._decoder, ended=ended).encode(), ended

    def _decoded(self, block: bytes, decoder: codecs.IncrementalDecoder, *, ended: bool) -> str:
        before = decoder.getstate()
        text = decoder.decode(block, ended)
        if LOST in text:
            # A text may hold the character itself: what is not its own goes when errors go.
            decoder.errors, after = "ignore", decoder.getstate()
            decoder.setstate(before)
            self.lost += text.count(LOST) - decoder.decode(block, ended).count(LOST)
            decoder.errors = "replace"
            decoder.setstate(after)
        return text
