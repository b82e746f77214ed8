"""What a model said of the words of a text: what the tasks that label words share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biobert.core.document import Entity
from biobert.core.task import IGNORED, FloatArray, IntArray, Outputs, Targets, Window
from biobert.core.words import OwnedWords, owned_words


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
