"""The words of a text as a model saw them: what the tasks that label words share.

Words are those of the tokenizer's pre-tokenizer (white space and punctuation split for BERT);
a word is labelled at its first piece, as in Devlin et al. 2019 (arXiv:1810.04805), section 5.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biobert.core.task import FloatArray, IntArray, Outputs, Window


@dataclass(frozen=True, slots=True, eq=False)
class OwnedWords:
    """The words that a window owns: positions (n,) of first pieces, characters they span (n,)."""

    positions: IntArray
    starts: IntArray
    ends: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of a document, in text order, and what a model said of each.

    `starts`, `ends` (n,): characters; `first` (n,): True where a sentence begins.
    """

    starts: IntArray
    ends: IntArray
    first: npt.NDArray[np.bool_]
    logits: FloatArray


def owned_words(window: Window) -> OwnedWords:
    """The words whose first piece the window owns."""
    is_first = np.empty(len(window), dtype=np.bool_)
    is_first[0] = False
    is_first[1:] = (window.words[1:] != window.words[:-1]) & (window.words[1:] >= 0)
    positions = np.flatnonzero(is_first[window.owned]) + window.owned.start
    return OwnedWords(positions, window.offsets[positions, 0], _word_ends(window)[positions])


def words_of(
    windows: Sequence[tuple[Window, ...]], outputs: Sequence[Sequence[Outputs]], head: str
) -> Words:
    """The words of all windows, with the logits of a token head at each."""
    starts, ends, first, logits = [], [], [], []
    for parts, part_outputs in zip(windows, outputs, strict=True):
        begins = True
        for window, output in zip(parts, part_outputs, strict=True):
            own = owned_words(window)
            if not len(own.positions):
                continue
            flags = np.zeros(len(own.positions), dtype=np.bool_)
            flags[0], begins = begins, False
            starts.append(own.starts)
            ends.append(own.ends)
            first.append(flags)
            logits.append(output[head][own.positions])
    if not starts:
        nothing = np.zeros(0, dtype=np.int64)
        return Words(nothing, nothing, nothing.astype(np.bool_), np.zeros((0, 0), np.float32))
    return Words(
        np.concatenate(starts), np.concatenate(ends), np.concatenate(first), np.concatenate(logits)
    )


def log_softmax(logits: FloatArray) -> FloatArray:
    """Log-probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    normalised: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return normalised


def _word_ends(window: Window) -> IntArray:
    """For each token, the last character (excluded) of the word it belongs to."""
    last = np.append(window.words[1:] != window.words[:-1], True) & (window.words >= 0)
    ends = np.where(last, window.offsets[:, 1], np.iinfo(np.int64).max)
    return np.flip(np.minimum.accumulate(np.flip(ends)))
