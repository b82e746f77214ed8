"""Which positions a masked language model must fill in, and what stands there instead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from biobert.core.errors import BadInputError
from biobert.core.task import FloatArray, IntArray
from biobert.tasks._layout import SpecialIds

SPAN_STOP = 0.2
LONGEST_SPAN = 10
"""In words; both numbers are those of SpanBERT."""
SPAN_LENGTHS = np.arange(1, LONGEST_SPAN + 1)
SPAN_ODDS = (1 - SPAN_STOP) ** SPAN_LENGTHS / sum((1 - SPAN_STOP) ** SPAN_LENGTHS)
"""Of each length: geometric, and none longer (Joshi et al. 2020, section 3.1); 3.8 in the mean."""
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class MaskingSettings:
    """The share of positions to fill in, and what happens to them.

    `unit` is `word` (all pieces of a word, Devlin 2019's later releases), `piece`, or `span` (runs
    of whole words, SpanBERT, Joshi et al. 2020, arXiv:1907.10529). Of the chosen positions a share
    `random` shows another piece, a share `keep` the true one, and the rest the mask token; what is
    hidden in one span is shown in one way.
    `weights` multiplies the chance of words by their tag (`{ NN = 2.0 }`), the rate staying what it
    is; it needs a corpus with tags.
    """

    rate: float = 0.15
    unit: Literal["word", "piece", "span"] = "word"
    random: float = 0.1
    keep: float = 0.1
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < 1.0:
            raise BadInputError(f"[task.masking] rate = {self.rate}: more than 0, less than 1")
        if self.random < 0 or self.keep < 0 or self.random + self.keep > 1:
            raise BadInputError(
                f"[task.masking] random = {self.random}, keep = {self.keep}: shares of a whole"
            )
        for tag, weight in self.weights.items():
            if not 0.0 <= weight < np.inf:
                raise BadInputError(f"[task.masking] weights: {tag} = {weight}: not below 0")


@dataclass(frozen=True, slots=True, eq=False)
class MaskingVocabulary:
    """What masking must know of a vocabulary. `continues` (pieces,): not the first of a word.

    `special` (pieces,): never hidden, nor shown in the place of another, which `drawable` (n,) are.
    `tags` names the tags.
    """

    continues: BoolArray
    special: BoolArray
    mask_id: int
    borders: SpecialIds
    tags: tuple[str, ...] = ()

    @property
    def drawable(self) -> IntArray:
        """(n,) ids that may stand in for another."""
        ids: IntArray = np.flatnonzero(~self.special)
        return ids


def choose(
    token_ids: IntArray,
    free: BoolArray,
    vocabulary: MaskingVocabulary,
    settings: MaskingSettings,
    generator: np.random.Generator,
    chances: FloatArray | None = None,
) -> BoolArray:
    """(rows, length) the positions to fill in, among those that are `free`.

    `chances` (rows, length) weighs positions (by their tag); None weighs all alike.
    """
    words = _words(token_ids, free, vocabulary.continues, settings.unit)
    count = int(words.max(initial=-1)) + 1
    weights = np.full(count, settings.rate)
    if chances is not None:
        weights = _balanced(words, chances, settings.rate)
    if settings.unit == "span":
        is_first = np.zeros(count, dtype=np.bool_)
        is_first[words[free & ~_follows(free)]] = True
        drawn = _spans(weights, is_first, generator)
    else:
        drawn = generator.random(count) < weights
    return np.where(words >= 0, np.append(drawn, False)[words], False)


def hide(
    token_ids: IntArray,
    chosen: BoolArray,
    vocabulary: MaskingVocabulary,
    settings: MaskingSettings,
    generator: np.random.Generator,
) -> IntArray:
    """The ids as the model sees them: mask tokens, other pieces and true ones where chosen."""
    lot = generator.random(token_ids.shape)
    if settings.unit == "span":
        begins = chosen & ~_follows(chosen)
        lot = lot.ravel()[np.cumsum(begins).reshape(begins.shape) - 1]
    drawable = vocabulary.drawable
    other = drawable[generator.integers(0, len(drawable), size=token_ids.shape)]
    seen = np.where(
        chosen & (lot >= settings.random + settings.keep), vocabulary.mask_id, token_ids
    )
    return np.where(chosen & (lot < settings.random), other, seen)


def chances_of_tags(
    tags: npt.NDArray[np.uint8], names: Sequence[str], weights: Mapping[str, float]
) -> FloatArray:
    """The weight of each position, from the number of its tag."""
    unknown = sorted(set(weights) - set(names))
    if unknown:
        known = ", ".join(filter(None, names)) or "none: build it with --tagger"
        raise BadInputError(
            f"[task.masking] weights: the corpus has no tag {unknown[0]!r} (it has {known})"
        )
    by_tag = np.array([weights.get(name, 1.0) for name in names], dtype=np.float32)
    return by_tag[tags]


def _words(
    token_ids: IntArray, free: BoolArray, continues: BoolArray, unit: str
) -> npt.NDArray[np.int64]:
    """The number of the word at each position, -1 where nothing may be hidden."""
    begins = free.copy()
    if unit != "piece":
        # A continuation piece begins a word only where what it continues stands in another row.
        begins &= ~(continues[token_ids] & _follows(free))
    numbers = np.cumsum(begins.ravel()).reshape(begins.shape) - 1
    return np.where(free, numbers, -1)


def _follows(some: BoolArray) -> BoolArray:
    """Where the position before, in the same row, is one of some."""
    before = np.zeros_like(some)
    before[:, 1:] = some[:, :-1]
    return before


def _balanced(words: IntArray, chances: FloatArray, rate: float) -> npt.NDArray[np.float64]:
    """The chance of each word, such that the mean over positions is the rate."""
    inside = words >= 0
    sizes = np.bincount(words[inside])
    weights = np.bincount(words[inside], weights=chances[inside]) / np.maximum(sizes, 1)
    certain = np.zeros(len(sizes), dtype=np.bool_)
    while True:
        # What the certain words cannot take up goes to the others.
        share = rate * sizes.sum() - sizes[certain].sum()
        scale = share / max(float((weights * sizes)[~certain].sum()), 1e-9)
        scaled: npt.NDArray[np.float64] = np.where(certain, 1.0, weights * scale)
        if not (scaled > 1.0).any():
            return scaled
        certain |= scaled > 1.0


def _spans(
    weights: npt.NDArray[np.float64], is_first: BoolArray, generator: np.random.Generator
) -> BoolArray:
    """Words in spans of geometric length, each word hidden with about its own chance.

    No span goes over from one segment to the next, which begins where `is_first`.
    """
    # Before each segment stand places for the longest span: one that begins there hides the first
    # words, which else were hidden too seldom, and one from the segment before ends there.
    repeats = np.where(is_first, LONGEST_SPAN, 1)
    drawn = _spans_in_one(np.repeat(weights, repeats), generator)
    inside: BoolArray = drawn[np.cumsum(repeats) - 1]
    return inside


def _spans_in_one(weights: npt.NDArray[np.float64], generator: np.random.Generator) -> BoolArray:
    lengths = generator.choice(SPAN_LENGTHS, size=len(weights), p=SPAN_ODDS)
    # Where spans start with chance s, a word stays visible with about (1 - s) ^ mean length.
    starts = 1 - (1 - weights) ** (1 / float((SPAN_LENGTHS * SPAN_ODDS).sum()))
    begins = np.flatnonzero(generator.random(len(weights)) < starts)
    marks = np.zeros(len(weights) + 1, dtype=np.int64)
    np.add.at(marks, begins, 1)
    np.add.at(marks, np.minimum(begins + lengths[begins], len(weights)), -1)
    return np.cumsum(marks)[:-1] > 0
