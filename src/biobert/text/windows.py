"""Windows over a long sequence of word pieces: nothing is cut, every piece has one owner."""

from dataclasses import dataclass

from biobert.core.errors import BadInputError
from biobert.core.task import IntArray


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How long a row may be, and how much context windows of a longer text share.

    `maximum_tokens` counts the special tokens; `overlap_tokens` is the context on each side.
    """

    maximum_tokens: int = 256
    overlap_tokens: int = 32

    def __post_init__(self) -> None:
        if self.overlap_tokens < 0 or self.maximum_tokens - 2 <= 2 * self.overlap_tokens:
            raise BadInputError(
                f"windows of {self.maximum_tokens} tokens cannot overlap by {self.overlap_tokens}; "
                "maximum_tokens must exceed 2 x overlap_tokens + 2"
            )


@dataclass(frozen=True, slots=True)
class PieceRange:
    """Pieces [start, stop) stand in the window, of which it owns [own_start, own_stop)."""

    start: int
    stop: int
    own_start: int
    own_stop: int


def piece_ranges(
    words: IntArray, *, capacity: int, overlap: int, behind: int | None = None
) -> list[PieceRange]:
    """Windows of at most `capacity` pieces over pieces that belong to the given words.

    `overlap` pieces are context before what a window owns, and as many behind it, or `behind`.
    Owned stretches follow one another without gap or overlap, and begin at a word's first piece
    unless a single word is longer than the room there is.
    """
    length, behind = len(words), overlap if behind is None else behind
    ranges: list[PieceRange] = []
    own_start = 0
    while True:
        start = max(0, min(own_start - overlap, length - capacity))
        stop = min(start + capacity, length)
        own_stop = length if stop == length else _word_start(words, own_start, stop - behind)
        ranges.append(PieceRange(start, stop, own_start, own_stop))
        if own_stop == length:
            return ranges
        own_start = own_stop


def _word_start(words: IntArray, lowest: int, wanted: int) -> int:
    """The last word start in (lowest, wanted], or `wanted` where there is none."""
    position = wanted
    while position > lowest + 1 and words[position] == words[position - 1]:
        position -= 1
    return wanted if words[position] == words[position - 1] else position
