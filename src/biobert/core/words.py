"""The words of a text as a model saw them.

Words are BERT's, which white space and punctuation part, or those of a tokenizer that parts more;
a word is labelled at its first piece, as in Devlin et al. 2019 (arXiv:1810.04805), section 5.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biobert.core.task import IntArray, Window


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
