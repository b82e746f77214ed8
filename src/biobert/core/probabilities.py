"""From logits to probabilities, and what several windows of one text say together."""

from typing import Literal

import numpy as np

from biobert.core.task import FloatArray


def softmax(logits: FloatArray, *, axis: int = -1) -> FloatArray:
    """Probabilities along an axis."""
    raised = np.exp(logits - logits.max(axis=axis, keepdims=True))
    probabilities: FloatArray = raised / raised.sum(axis=axis, keepdims=True)
    return probabilities


def log_softmax(logits: FloatArray, *, axis: int = -1) -> FloatArray:
    """Log-probabilities along an axis."""
    shifted: FloatArray = logits - logits.max(axis=axis, keepdims=True)
    # In place: the logits of a whole vocabulary are large.
    shifted -= np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return shifted


def sigmoid(logits: FloatArray) -> FloatArray:
    """The probability of each label that stands alone."""
    with np.errstate(over="ignore"):  # An infinity makes 0, as it should.
        likely: FloatArray = (1.0 / (1.0 + np.exp(-logits))).astype(logits.dtype)
    return likely


def joined(
    logits: FloatArray, loss: Literal["cross-entropy", "binary", "squared-error"]
) -> FloatArray:
    """What the windows (windows, labels) of one answer say together, (labels,): their mean; a label
    that stands alone holds for the whole where one part of it says so."""
    together: FloatArray = logits.max(axis=0) if loss == "binary" else logits.mean(axis=0)
    return together
