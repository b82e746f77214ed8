"""Rows for pretraining: sentences of a shard in chunks, and chunks as pairs of segments.

A chunk is a run of whole sentences of one document that fits into a row. For next-sentence
prediction it is split in two, and half of the chunks exchange their second part with chunks of
other documents. They exchange, so that every token of the corpus stands in exactly one row.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from biobert.core.task import IGNORED, IntArray
from biobert.data.shards import TokenShard

Pairing = Literal["next", "order", "none"]

SWAP_ROUNDS = 4
BoolArray = npt.NDArray[np.bool_]
FOLLOWS, DIFFERS = 0, 1
"""Labels of a pair, numbered as `transformers.BertForPreTraining` does."""


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Rows of one shard, as token ranges; all arrays are (rows,).

    Segment A is [first_start, first_stop), segment B [second_start, second_stop), empty where a row
    has one segment. `label` is FOLLOWS, DIFFERS, or IGNORED for a row of one segment.
    """

    first_start: IntArray
    first_stop: IntArray
    second_start: IntArray
    second_stop: IntArray
    label: IntArray

    def __len__(self) -> int:
        return len(self.label)

    @property
    def lengths(self) -> IntArray:
        """(rows,) tokens in each row, special tokens included."""
        first = self.first_stop - self.first_start
        second = self.second_stop - self.second_start
        return np.asarray(first + second + np.where(second > 0, 3, 2), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Chunks:
    """(chunks,) token ranges, the token where the second segment begins, and the document."""

    starts: IntArray
    middles: IntArray
    stops: IntArray
    documents: IntArray


def segment_rows(
    shard: TokenShard,
    *,
    length: int,
    pairing: Pairing,
    short_rows: float,
    generator: np.random.Generator,
) -> Segments:
    """Rows of at most `length` tokens; a share `short_rows` of them is shorter by chance.

    Devlin et al. 2019, appendix A.2: 10% of the rows are short, 50% of the pairs true.
    """
    specials = 2 if pairing == "none" else 3
    chunks = _chunks(shard, length - specials, short_rows, generator)
    first_start, first_stop = chunks.starts, chunks.middles
    second_start, second_stop = chunks.middles.copy(), chunks.stops.copy()
    label = np.full(len(chunks.starts), IGNORED, dtype=np.int64)
    if pairing == "none":
        return Segments(first_start, chunks.stops, chunks.stops, chunks.stops, label)
    paired = np.flatnonzero((chunks.middles > chunks.starts) & (chunks.middles < chunks.stops))
    label[paired] = FOLLOWS
    if pairing == "order":
        chosen = paired[generator.random(len(paired)) < 0.5]
        label[chosen] = DIFFERS
        swapped = first_start.copy(), first_stop.copy()
        first_start, first_stop = first_start.copy(), first_stop.copy()
        first_start[chosen], first_stop[chosen] = second_start[chosen], second_stop[chosen]
        second_start[chosen], second_stop[chosen] = swapped[0][chosen], swapped[1][chosen]
    else:
        one, other = _exchanged(paired, chunks, length - specials, generator)
        takers, givers = np.concatenate([one, other]), np.concatenate([other, one])
        label[takers] = DIFFERS
        second_start[takers], second_stop[takers] = chunks.middles[givers], chunks.stops[givers]
    return Segments(first_start, first_stop, second_start, second_stop, label)


def _chunks(
    shard: TokenShard, room: int, short_rows: float, generator: np.random.Generator
) -> _Chunks:
    """All sentences, in runs of at most `room` tokens; a longer sentence is cut into several."""
    ends = _cut(shard.sentence_ends, room)
    token_ends = np.append(0, shard.sentence_ends)[shard.document_ends]
    document_of = np.searchsorted(token_ends, ends - 1, side="right")
    firsts, lasts = _runs(ends, document_of, room, short_rows, generator)
    starts = np.where(firsts > 0, ends[firsts - 1], 0)
    # Segment A is one to all but one of the sentences of a chunk.
    inner = lasts - firsts
    sizes = np.minimum((generator.random(len(inner)) * inner).astype(np.int64), inner - 1)
    middles = np.where(inner > 0, ends[firsts + np.maximum(sizes, 0)], ends[lasts])
    return _Chunks(starts, middles, ends[lasts], document_of[lasts])


def _cut(sentence_ends: IntArray, room: int) -> IntArray:
    """Ends of sentences, with further ends inside those longer than `room`."""
    starts = np.append(0, sentence_ends[:-1])
    lengths = sentence_ends - starts
    pieces = np.maximum(1, -(-lengths // room))
    if int(pieces.max(initial=1)) == 1:
        whole: IntArray = sentence_ends[lengths > 0]
        return whole
    numbers = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    ends = np.repeat(starts, pieces) + (numbers + 1) * room
    return np.unique(np.minimum(ends, np.repeat(sentence_ends, pieces)))


def _runs(
    ends: IntArray,
    document_of: IntArray,
    room: int,
    short_rows: float,
    generator: np.random.Generator,
) -> tuple[IntArray, IntArray]:
    """(chunks,) the first and the last sentence of every run within a document."""
    is_short = generator.random(len(ends)) < short_rows
    targets = np.where(is_short, generator.integers(2, room + 1, size=len(ends)), room)
    document_last = np.searchsorted(document_of, document_of, side="right") - 1
    starts = np.append(0, ends[:-1])
    # The furthest sentence a run may reach if it began at this one, at least itself.
    reach = np.searchsorted(ends, starts + targets, side="right") - 1
    reach = np.maximum(np.minimum(reach, document_last), np.arange(len(ends))).tolist()
    firsts, lasts, sentence = [], [], 0
    while sentence < len(reach):
        firsts.append(sentence)
        lasts.append(reach[sentence])
        sentence = reach[sentence] + 1
    return np.array(firsts, dtype=np.int64), np.array(lasts, dtype=np.int64)


def _exchanged(
    paired: IntArray, chunks: _Chunks, room: int, generator: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Chunks that swap their second segments: (half of paired,) twice, the n-th with the n-th.

    Partners are of different documents and have second segments of about the same length, so that
    both still fit.
    """
    lengths = chunks.stops - chunks.middles
    # Shuffled first: among equal lengths, neighbours are then seldom of one document.
    left = generator.permutation(paired)
    left = left[np.argsort(-lengths[left], kind="stable")]
    ones, others = [], []
    for _ in range(SWAP_ROUNDS):
        one, other = left[: len(left) - 1 : 2], left[1::2]
        agree = _may_swap(one, other, chunks, room)
        ones.append(one[agree])
        others.append(other[agree])
        # Those that found no partner meet other neighbours in the next round.
        left = np.setdiff1d(left, np.concatenate([one[agree], other[agree]]))
        left = left[np.argsort(-lengths[left], kind="stable")]
    one, other = np.concatenate(ones), np.concatenate(others)
    # Each swap makes two pairs of strangers: a quarter as many swaps as pairs.
    chosen = generator.permutation(len(one))[: round(len(paired) / 4)]
    return one[chosen], other[chosen]


def _may_swap(one: IntArray, other: IntArray, chunks: _Chunks, room: int) -> BoolArray:
    first = chunks.middles - chunks.starts
    second = chunks.stops - chunks.middles
    fits = (first[one] + second[other] <= room) & (first[other] + second[one] <= room)
    apart = chunks.documents[one] != chunks.documents[other]
    agree: BoolArray = fits & apart
    return agree
