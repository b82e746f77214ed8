"""How certain a model is of what it says: the probability of the least sure of its answers."""

from collections.abc import Iterator, Sequence

import numpy as np

from biobert.core.task import FloatArray, HeadSpec, IntArray, Outputs, Window

CERTAIN = 1.0
CLASSIFYING = ("token", "sequence", "marked", "cloze")


def certainty_of(
    windows: Sequence[Window], outputs: Sequence[Outputs], heads: Sequence[HeadSpec]
) -> float:
    """The probability of the least sure answer of an example, from 0 to 1.

    An answer is the likeliest label of a group: for a `token` head at every word, else once for a
    window. Labels that exclude each other share a softmax; of a `binary` head every label is an
    answer, yes or no. A `span` head answers where it begins and where it ends. Numbers, vectors and
    texts that are written have no certainty: they count as certain. This is the least confidence
    of Lewis and Gale 1994 (arXiv:cmp-lg/9407020), at the word where it is least.
    """
    least = CERTAIN
    for window, output in zip(windows, outputs, strict=True):
        for head in heads:
            for probabilities in _answers(head, output[head.name], window):
                least = min(least, float(probabilities.min(initial=CERTAIN)))
    return least


def _answers(head: HeadSpec, logits: FloatArray, window: Window) -> Iterator[FloatArray]:
    """The probabilities of the answers of a head, in arrays of any length."""
    if head.kind == "span":
        yield softmax(logits, axis=0).max(axis=0)
        return
    if head.kind not in CLASSIFYING or head.loss == "squared-error":
        return
    rows = logits[_first_pieces(window)] if head.kind == "token" else logits[None, :]
    if head.loss == "binary":
        yield (1.0 / (1.0 + np.exp(-np.abs(rows)))).astype(np.float32)
        return
    for group in head.slices:
        yield softmax(rows[:, group], axis=1).max(axis=1)


def _first_pieces(window: Window) -> IntArray:
    """Where the words begin that the window owns; a word is labelled at its first piece."""
    is_first = np.zeros(len(window), dtype=np.bool_)
    is_first[1:] = (window.words[1:] != window.words[:-1]) & (window.words[1:] >= 0)
    positions: IntArray = np.flatnonzero(is_first[window.owned]) + window.owned.start
    return positions


def softmax(logits: FloatArray, *, axis: int) -> FloatArray:
    """Probabilities along an axis."""
    raised = np.exp(logits - logits.max(axis=axis, keepdims=True))
    probabilities: FloatArray = raised / raised.sum(axis=axis, keepdims=True)
    return probabilities
