"""Marked texts as rows of token ids, each with both arguments in it."""

from collections.abc import Iterable, Iterator

import numpy as np

from biobert.core.errors import BadInputError
from biobert.core.task import IntArray, Pieces, TextTokenizer, Window
from biobert.tasks._marking import NOWHERE, MarkedText
from biobert.text.windows import WindowSettings

CHARACTERS_AT_ONCE = 2_000_000
LEAST_TOKENS = 4
"""Both marks, and the tokens that a row begins and ends with."""


def encode_marked(
    texts: Iterable[MarkedText], tokenizer: TextTokenizer, settings: WindowSettings
) -> list[tuple[Window, ...]]:
    """A row `[CLS] pieces [SEP]` for each text, whose `marks` are the nearest of both arguments.

    A text that is too long is read around these two: the stretch that holds both, with at least
    `overlap_tokens` on each side, or the surroundings of one and then of the other.
    """
    if settings.maximum_tokens < LEAST_TOKENS:
        raise BadInputError(
            f"windows.maximum_tokens = {settings.maximum_tokens}: a marked pair needs "
            f"{LEAST_TOKENS}"
        )
    borders = tokenizer.special("cls"), tokenizer.special("sep")
    found: list[tuple[Window, ...]] = []
    for some in _portions(texts):
        for text, pieces in zip(some, tokenizer.pieces([one.text for one in some]), strict=True):
            found.append((_row(text, pieces, borders, settings),))
    return found


def _portions(texts: Iterable[MarkedText]) -> Iterator[list[MarkedText]]:
    """Texts in groups, so that few, and the pieces of few, are in memory at once."""
    portion: list[MarkedText] = []
    size = 0
    for text in texts:
        if portion and size + len(text.text) > CHARACTERS_AT_ONCE:
            yield portion
            portion, size = [], 0
        portion.append(text)
        size += len(text.text)
    yield portion


def _row(
    text: MarkedText, pieces: Pieces, borders: tuple[int, int], settings: WindowSettings
) -> Window:
    nearest = _nearest(*_mark_pieces(text, pieces))
    capacity = settings.maximum_tokens - len(borders)
    length = len(pieces.ids)
    row = np.arange(length)
    if length > capacity:
        row = _around(*nearest, length=length, capacity=capacity, context=settings.overlap_tokens)
    return _window(pieces, text.origins(pieces.offsets), row, nearest, borders)


def _mark_pieces(text: MarkedText, pieces: Pieces) -> tuple[IntArray, IntArray]:
    """The pieces at which the marks of each argument begin."""
    first, second = (
        np.searchsorted(pieces.offsets[:, 1], np.array(some), side="right") for some in text.marks
    )
    return first, second


def _nearest(first: IntArray, second: IntArray) -> tuple[int, int]:
    """Of each argument the piece that is nearest to one of the other."""
    distances = np.abs(first[:, None] - second[None, :])
    one, other = np.unravel_index(int(np.argmin(distances)), distances.shape)
    return int(first[one]), int(second[other])


def _around(one: int, other: int, *, length: int, capacity: int, context: int) -> IntArray:
    """`capacity` pieces around both places, or half of them around each."""
    low, high = min(one, other), max(one, other)
    margin = capacity - (high - low) - 1
    if margin >= 2 * context:
        start = max(0, min(low - margin // 2, length - capacity))
        return np.arange(start, start + capacity)
    half = capacity // 2
    starts = [max(0, min(place - half // 2, length - half)) for place in (low, high)]
    return np.unique(np.concatenate([np.arange(start, start + half) for start in starts]))


def _window(
    pieces: Pieces,
    origins: IntArray,
    row: IntArray,
    nearest: tuple[int, int],
    borders: tuple[int, int],
) -> Window:
    offsets = np.full((len(row) + 2, 2), NOWHERE, dtype=np.int64)
    offsets[1:-1] = origins[row]
    words = np.full(len(row) + 2, NOWHERE, dtype=np.int64)
    # What was put in is no word: it is never hidden when words are.
    words[1:-1] = np.where(origins[row, 0] == NOWHERE, NOWHERE, pieces.words[row])
    return Window(
        token_ids=np.concatenate([[borders[0]], pieces.ids[row], [borders[1]]]),
        segment_ids=np.zeros(len(row) + 2, dtype=np.int64),
        offsets=offsets,
        words=words,
        owned=slice(1, len(row) + 1),
        marks=np.searchsorted(row, np.array(nearest)).astype(np.int64) + 1,
    )
