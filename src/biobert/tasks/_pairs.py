"""Two texts in a row, `[CLS] first [SEP] second [SEP]`: what the tasks on pairs share."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from biobert.core.document import Document, Span
from biobert.core.errors import BadInputError
from biobert.core.passages import passage_of
from biobert.core.task import IntArray, Pieces, TextTokenizer, Window
from biobert.text.windows import PieceRange, WindowSettings, piece_ranges

SPECIALS = 3
MOST_WINDOWS = 4_000
"""Of a document whose texts are both cut: they grow with the product of the two lengths, and each
is a row for the encoder. Two texts of some 6,000 words have so many."""


@dataclass(frozen=True, slots=True)
class TextPair:
    """Two stretches of one text; `document` is its identifier."""

    document: str
    text: str
    first: Span
    second: Span


def passage_pair(document: Document, first: str, second: str) -> TextPair:
    """The document's passages of these two kinds."""
    spans = passage_of(document, first), passage_of(document, second)
    return TextPair(document.id, document.text, *spans)


def encode_pairs(
    pairs: Sequence[TextPair],
    tokenizer: TextTokenizer,
    settings: WindowSettings,
    *,
    least_behind: int = 0,
) -> list[tuple[Window, ...]]:
    """Rows of both texts; a text that is too long goes through several, beside all of the other.

    Where both take more than half a row each stretch of one meets each of the other; an error where
    that makes more than MOST_WINDOWS. A window owns its stretch of the second text, and sees
    `least_behind` tokens behind it at least; an error where the first text leaves no room for them.
    """
    if settings.maximum_tokens < SPECIALS + 2:
        raise BadInputError(
            f"windows.maximum_tokens = {settings.maximum_tokens}: a pair needs {SPECIALS + 2}"
        )
    spans = [(pair.text, span) for pair in pairs for span in (pair.first, pair.second)]
    texts = [text[span.start : span.end] for text, span in spans]
    pieces = tokenizer.pieces(texts)
    borders = tokenizer.special("cls"), tokenizer.special("sep")
    room = _Room(settings.maximum_tokens - SPECIALS, settings.overlap_tokens, least_behind)
    return [
        _windows(pair, pieces[2 * number], pieces[2 * number + 1], borders, room)
        for number, pair in enumerate(pairs)
    ]


@dataclass(frozen=True, slots=True)
class _Room:
    """Pieces of both texts in a row; the context that stretches share, and what the second text's
    see at least behind what they own."""

    pieces: int
    overlap: int
    least_behind: int


def _windows(
    pair: TextPair,
    first: Pieces,
    second: Pieces,
    borders: tuple[int, int],
    room: _Room,
) -> tuple[Window, ...]:
    half = room.pieces // 2
    first_room = min(len(first.ids), max(half, room.pieces - len(second.ids)))
    second_room = room.pieces - first_room
    if second_room <= room.least_behind and second_room < len(second.ids):
        raise BadInputError(
            f"document {pair.document!r}: beside the {len(first.ids)} tokens of its first text a "
            f"row has {second_room} of the second, and {room.least_behind + 1} must be seen "
            "together; shorten the first, or raise windows.maximum_tokens"
        )
    parts = stretches(first, first_room, room.overlap)
    others = stretches(second, second_room, room.overlap, least_behind=room.least_behind)
    check_windows(pair.document, [len(parts), len(others)], whole=half)
    return tuple(
        _window(pair, (first, part), (second, other), borders) for part in parts for other in others
    )


def check_windows(document: str, counts: Sequence[int], *, whole: int) -> None:
    """An error where texts in so many stretches, each beside each, make too many windows.

    A text of `whole` tokens or fewer is never cut.
    """
    windows, cut = prod(counts), [count for count in counts if count > 1]
    if len(cut) > 1 and windows > MOST_WINDOWS:
        raise BadInputError(
            f"document {document!r}: {' x '.join(map(str, cut))} stretches of its texts, each "
            f"beside each, make {windows} windows, and {MOST_WINDOWS} are the most; shorten the "
            f"shorter text: up to {whole} tokens it is read whole, and the other may be of any "
            "length"
        )


def stretches(
    pieces: Pieces, capacity: int, overlap: int, *, least_behind: int = 0
) -> list[PieceRange]:
    """All pieces in one where `capacity` allows it, else in several that share some context.

    Each owns a quarter of its pieces at least: beside a long text there is little room, and context
    of the usual length would leave a window few pieces of its own, and the text many windows. Where
    `least_behind` is more than that, it shares what is left with the context before.
    """
    if len(pieces.ids) <= capacity:
        return [PieceRange(0, len(pieces.ids), 0, len(pieces.ids))]
    usual = min(overlap, 3 * capacity // 8)
    if least_behind <= usual:
        return piece_ranges(pieces.words, capacity=capacity, overlap=usual)
    before = min(usual, (capacity - least_behind) // 2)
    return piece_ranges(pieces.words, capacity=capacity, overlap=before, behind=least_behind)


def _window(
    pair: TextPair,
    first: tuple[Pieces, PieceRange],
    second: tuple[Pieces, PieceRange],
    borders: tuple[int, int],
) -> Window:
    cls, sep = borders
    ids, offsets, words = [np.array([cls])], [np.array([[-1, -1]])], [np.array([-1])]
    word_count = 0
    for (pieces, part), span in ((first, pair.first), (second, pair.second)):
        stretch = slice(part.start, part.stop)
        ids += [pieces.ids[stretch], np.array([sep])]
        offsets += [pieces.offsets[stretch] + span.start, np.array([[-1, -1]])]
        words += [pieces.words[stretch] + word_count, np.array([-1])]
        word_count += int(pieces.words.max(initial=-1)) + 1
    begin = first[1].stop - first[1].start + 2
    part = second[1]
    token_ids = np.concatenate(ids)
    segments: IntArray = (np.arange(len(token_ids)) >= begin).astype(np.int64)
    own = slice(begin + part.own_start - part.start, begin + part.own_stop - part.start)
    return Window(token_ids, segments, np.concatenate(offsets), np.concatenate(words), own)
