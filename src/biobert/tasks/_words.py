"""The words of a text as a model saw them: what the tasks that label words share.

Words are BERT's, which white space and punctuation part, or those of a tokenizer that parts more;
a word is labelled at its first piece, as in Devlin et al. 2019 (arXiv:1810.04805), section 5.3.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biobert.core.document import Entity
from biobert.core.task import IGNORED, FloatArray, IntArray, Outputs, Targets, Window


@dataclass(frozen=True, slots=True, eq=False)
class OwnedWords:
    """The words that some windows own, in order.

    `positions` (n,): first pieces, among the tokens of all windows one after another; `rows` (n,):
    numbers of their windows; `starts`, `ends` (n,): the characters they span.
    """

    positions: IntArray
    rows: IntArray
    starts: IntArray
    ends: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of some examples, in text order, and what a model said of each.

    `starts`, `ends` (n,): characters; `examples` (n,): number of the example that a word is from.
    """

    starts: IntArray
    ends: IntArray
    examples: IntArray
    logits: FloatArray

    @property
    def first(self) -> npt.NDArray[np.bool_]:
        """Where (n,) an example begins."""
        return np.append(True, self.examples[1:] != self.examples[:-1])[: len(self.examples)]


def owned_words(windows: Sequence[Window]) -> OwnedWords:
    """The words whose first piece a window owns, those of all windows at once.

    Blanks are tokens of their own to some tokenizers, and no words.
    """
    lengths = np.array([len(window) for window in windows])
    rows = np.repeat(np.arange(len(windows)), lengths)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    own_starts = np.array([window.owned.start for window in windows])
    own_stops = np.array([window.owned.stop for window in windows])
    owned = (places >= own_starts[rows]) & (places < own_stops[rows])
    words = np.concatenate([window.words for window in windows])
    offsets = np.concatenate([window.offsets for window in windows])
    changes = (words[1:] != words[:-1]) | (rows[1:] != rows[:-1])
    positions = np.flatnonzero(np.append(True, changes) & (words >= 0) & owned)
    # A word ends with the first of its pieces that another word, or nothing, follows.
    last = np.flatnonzero(np.append(changes, True))
    starts, ends = offsets[positions, 0], offsets[last[np.searchsorted(last, positions)], 1]
    kept = ends > starts
    return OwnedWords(positions[kept], rows[positions[kept]], starts[kept], ends[kept])


def outermost(entities: Iterable[Entity]) -> list[Entity]:
    """In text order, those that lie inside no other; of equal ones the first."""
    found: list[Entity] = []
    for one in sorted(entities, key=lambda one: (one.start, -one.end)):
        if not found or one.end > found[-1].end:
            found.append(one)
    return found


def owners(
    starts: IntArray, ends: IntArray, spans: Sequence[Entity]
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """In which of the spans, as `outermost` leaves them, each word (n,) lies, and whether it does.

    What two of them hold belongs to the first.
    """
    if not spans:
        return np.zeros(len(starts), dtype=np.int64), np.zeros(len(starts), dtype=np.bool_)
    # The first that ends after a word's start is the one it lies in, if any is.
    owner = np.searchsorted([one.end for one in spans], starts, side="right")
    inside = owner < len(spans)
    owner = np.where(inside, owner, 0)
    return owner, inside & (np.array([one.start for one in spans])[owner] < ends)


def word_targets(
    windows: Sequence[Window], words: OwnedWords, values: IntArray, head: str
) -> list[Targets]:
    """For each window, the values (n,) at its words' first pieces; all else is ignored."""
    lengths = [len(window) for window in windows]
    column = np.full((sum(lengths), 1), IGNORED, dtype=np.int64)
    column[words.positions, 0] = values
    return [{head: part} for part in np.split(column, np.cumsum(lengths)[:-1])]


def words_of(
    windows: Sequence[tuple[Window, ...]], outputs: Sequence[Sequence[Outputs]], head: str
) -> Words:
    """The words of all windows of some examples, with the logits of a token head at each."""
    if not any(windows):
        nothing = np.zeros(0, dtype=np.int64)
        return Words(nothing, nothing, nothing, np.zeros((0, 0), np.float32))
    own = owned_words([window for parts in windows for window in parts])
    examples = np.repeat(np.arange(len(windows)), [len(parts) for parts in windows])
    logits = np.concatenate([output[head] for parts in outputs for output in parts])
    return Words(own.starts, own.ends, examples[own.rows], logits[own.positions])


def log_softmax(logits: FloatArray) -> FloatArray:
    """Log-probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    normalised: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return normalised
