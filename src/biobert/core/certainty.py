"""How certain a model is of what it says: the probability of the least sure of its answers."""

from collections.abc import Iterator, Sequence

import numpy as np

from biobert.core.document import Document
from biobert.core.probabilities import joined, softmax
from biobert.core.questions import NO_ANSWER, candidates
from biobert.core.task import Example, FloatArray, HeadSpec, Outputs, Task, Window
from biobert.core.words import owned_words

CERTAIN = 1.0
CLASSIFYING = ("token", "sequence", "marked", "cloze")


def chooses(head: HeadSpec) -> bool:
    """Whether a head chooses among labels."""
    return head.kind in CLASSIFYING and head.loss != "squared-error"


def has_certainty(head: HeadSpec) -> bool:
    """Whether the answers of a head have a probability: numbers, vectors and texts have none."""
    return head.kind == "span" or chooses(head)


def certainty_of(
    task: Task,
    example: Example,
    windows: Sequence[Window],
    outputs: Sequence[Outputs],
    answered: Document,
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
    for head in filter(has_certainty, task.heads_of(example)):
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
            words = owned_words([window]).positions
            logits, decided = task.corrected(output)[head.name], task.decided(output)[head.name]
            yield from _of_labels(head, logits[words], decided[words])
    elif outputs:
        whole = {
            one.name: joined(np.stack([output[one.name] for output in outputs]), one.loss)
            for one in task.heads()
            if _is_of_row(one)
        }
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
