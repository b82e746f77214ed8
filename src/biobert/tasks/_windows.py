"""Stretches of documents as windows of token ids: what the text tasks share."""

from collections.abc import Sequence

import numpy as np

from biobert.core.task import Example, Pieces, TextTokenizer, Window
from biobert.text.windows import PieceRange, WindowSettings, piece_ranges


def encode_stretches(
    examples: Sequence[Example], tokenizer: TextTokenizer, settings: WindowSettings
) -> list[tuple[Window, ...]]:
    """Rows `[CLS] pieces [SEP]` for each example's text, several for one that is too long."""
    texts = [example.document.text[example.start : example.end] for example in examples]
    borders = tokenizer.special("cls"), tokenizer.special("sep")
    capacity = settings.maximum_tokens - len(borders)
    windows = []
    for example, pieces in zip(examples, tokenizer.pieces(texts), strict=True):
        ranges = piece_ranges(pieces.words, capacity=capacity, overlap=settings.overlap_tokens)
        windows.append(tuple(_window(pieces, part, example.start, borders) for part in ranges))
    return windows


def _window(pieces: Pieces, part: PieceRange, shift: int, borders: tuple[int, int]) -> Window:
    first, last = borders
    count = part.stop - part.start
    token_ids = np.empty(count + 2, dtype=np.int64)
    token_ids[0], token_ids[-1] = first, last
    token_ids[1:-1] = pieces.ids[part.start : part.stop]
    offsets = np.full((count + 2, 2), -1, dtype=np.int64)
    offsets[1:-1] = pieces.offsets[part.start : part.stop] + shift
    words = np.full(count + 2, -1, dtype=np.int64)
    words[1:-1] = pieces.words[part.start : part.stop]
    return Window(
        token_ids=token_ids,
        segment_ids=np.zeros(count + 2, dtype=np.int64),
        offsets=offsets,
        words=words,
        owned=slice(part.own_start - part.start + 1, part.own_stop - part.start + 1),
    )
