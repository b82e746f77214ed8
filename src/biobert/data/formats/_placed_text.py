"""One text of pieces that a file places by offsets of its own."""

from bisect import bisect_right

from biobert.core.document import Span

WIDEST_GAP = 8


class PlacedText:
    """A text in the making, and where the offsets of its file are in it."""

    def __init__(self) -> None:
        self.length = 0
        self._parts: list[str] = []
        self._offsets: list[int] = []
        # The first is that of what stands before all pieces.
        self._shifts = [0]

    def text(self) -> str:
        """All that is there so far."""
        self._parts = ["".join(self._parts)]
        return self._parts[0]

    def add(self, piece: str, offset: int, blank: str) -> int:
        """Put a piece where its file has it, and say where that is.

        Gaps are filled, wide ones closed up. A piece over others that reads as they do is not put
        there twice.
        """
        start = offset + self._shifts[-1]
        gap = start - self.length
        if self._repeats(piece, start):
            piece = piece[-gap:]
        else:
            if not 0 <= gap <= WIDEST_GAP:
                gap = 1 if self._offsets else 0
            start = self.length + gap
            piece = blank * gap + piece
        self._parts.append(piece)
        self.length += len(piece)
        self._offsets.append(offset)
        self._shifts.append(start - offset)
        return start

    def reads(self, piece: str, start: int) -> bool:
        """Whether the text has these words there."""
        return start >= 0 and self.text().startswith(piece, start)

    def shift(self, offset: int) -> int:
        """What makes an offset of the file one of the text."""
        return self._shifts[bisect_right(self._offsets, offset)]

    def span(self, span: Span) -> Span | None:
        """A stretch of the file in the text; None where it is not there."""
        start, end = span.start + self.shift(span.start), span.end + self.shift(span.end - 1)
        return Span(start, end) if 0 <= start < end <= self.length else None

    def _repeats(self, piece: str, start: int) -> bool:
        """Whether a piece goes over what is there, all of it or so far that it is no chance."""
        over = min(self.length - start, len(piece))
        if start < 0 or start >= self.length or over < min(len(piece), WIDEST_GAP):
            return False
        return self.reads(piece[:over], start)
