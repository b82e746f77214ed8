"""How certain a model is of what it says: the probability of the least sure of its answers."""

from collections.abc import Iterator, Sequence

import numpy as np

from biobert.core.document import Document
from biobert.core.questions import NO_ANSWER, candidates
from biobert.core.task import FloatArray, HeadSpec, IntArray, Outputs, Task, Window

CERTAIN = 1.0
CLASSIFYING = ("token", "sequence", "marked", "cloze")


def has_certainty(head: HeadSpec) -> bool:
    """Whether the answers of a head have a probability: numbers, vectors and texts have none."""
    return head.kind == "span" or (head.kind in CLASSIFYING and head.loss != "squared-error")


def certainty_of(
    task: Task, windows: Sequence[Window], outputs: Sequence[Outputs], answered: Document
) -> float:
    """The probability of the least sure answer to an example, from 0 to 1; `answered` is the
    document as the task decodes it.

    An answer is the label that the task gives, by its corrections and thresholds, of a group: for a
    `token` head at every word, else once for all windows. Labels that exclude each other share a
    softmax; of a `binary` head every label is an answer, yes or no. A `span` head answers with the
    best span, or with none. Numbers, vectors and texts that are written count as certain. This is
    the least confidence of Lewis and Gale 1994 (arXiv:cmp-lg/9407020), at the word where it is
    least.
    """
    least = CERTAIN
    for head in filter(has_certainty, task.heads()):
        for probabilities in _answers(task, head, windows, outputs, answered):
            least = min(least, float(probabilities.min(initial=CERTAIN)))
    return least


def _answers(
    task: Task,
    head: HeadSpec,
    windows: Sequence[Window],
    outputs: Sequence[Outputs],
    answered: Document,
) -> Iterator[FloatArray]:
    """The probabilities of the answers of a head, in arrays of any length."""
    if head.kind == "span":
        yield np.array([_of_span(answered)], dtype=np.float32)
    elif head.kind == "token":
        for window, output in zip(windows, outputs, strict=True):
            words = _first_pieces(window)
            logits, decided = task.corrected(output)[head.name], task.decided(output)[head.name]
            yield from _of_labels(head, logits[words], decided[words])
    elif outputs:
        whole = {one.name: _joined(one, outputs) for one in task.heads() if _is_of_row(one)}
        logits, decided = task.corrected(whole)[head.name], task.decided(whole)[head.name]
        yield from _of_labels(head, logits[None, :], decided[None, :])


def _of_labels(head: HeadSpec, logits: FloatArray, decided: FloatArray) -> Iterator[FloatArray]:
    """Of (n, labels) logits, and as many that decide: the probabilities of what is decided."""
    if head.loss == "binary":
        yield np.exp(-np.logaddexp(0.0, np.where(decided > 0.0, -logits, logits)))
        return
    for group in head.slices:
        chosen = decided[:, group].argmax(axis=1)
        yield softmax(logits[:, group], axis=1)[np.arange(len(chosen)), chosen]


def _of_span(answered: Document) -> float:
    """The probability of the best span, or of none where that is the answer."""
    if NO_ANSWER in answered.labels:
        return answered.label_scores[NO_ANSWER]
    return next((one.score or 0.0 for one in candidates(answered)), CERTAIN)


def _is_of_row(head: HeadSpec) -> bool:
    return head.kind in CLASSIFYING and head.kind != "token"


def _joined(head: HeadSpec, outputs: Sequence[Outputs]) -> FloatArray:
    """What the windows of an example say together, as tasks decode it: their mean, and of labels
    that stand alone the most."""
    logits = np.stack([one[head.name] for one in outputs])
    joined: FloatArray = logits.max(axis=0) if head.loss == "binary" else logits.mean(axis=0)
    return joined


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
