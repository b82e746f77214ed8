"""Several models as one predictor: the mean of what they think likely, or of what they vote for."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from biobert.core.errors import BadInputError
from biobert.core.probabilities import sigmoid, softmax
from biobert.core.task import FloatArray, HeadSpec, Outputs, Predictor, Task, Window

Rule = Literal["mean", "vote"]
SMALLEST = 1e-9
"""Probability of what no model votes for: its logarithm must be finite."""


class EnsemblePredictor:
    """Logits whose softmax (or sigmoid) is the mean probability over the members.

    Each member's own task takes from its logits what its training shifted; by `vote` it also says
    what the member answers to a window, which then gets all of the probability. The task that
    decodes what is joined corrects nothing more. Numbers (`squared-error`) are averaged as they
    are.
    """

    def __init__(self, members: Sequence[Predictor], tasks: Sequence[Task], *, rule: Rule) -> None:
        self._members = tuple(zip(members, tasks, strict=True))
        self._heads = tasks[0].heads()
        self._rule = rule
        check_joinable(self._heads, rule)

    def predict(self, windows: Sequence[Window]) -> list[Outputs]:
        """The members' outputs for each window, joined."""
        answers = [
            [self._answer(task, output) for output in member.predict(windows)]
            for member, task in self._members
        ]
        return [
            {
                head.name: self._joined(head, [one[head.name] for one in some])
                for head in self._heads
            }
            for some in zip(*answers, strict=True)
        ]

    def _answer(self, task: Task, output: Outputs) -> Outputs:
        return task.decided(output) if self._rule == "vote" else task.corrected(output)

    def _joined(self, head: HeadSpec, logits: Sequence[FloatArray]) -> FloatArray:
        stacked = np.stack(logits).astype(np.float64)
        if head.loss == "squared-error":
            mean: FloatArray = stacked.mean(axis=0).astype(np.float32)
            return mean
        if head.loss == "binary":
            return self._joined_yes_or_no(stacked)
        if head.kind == "span":
            return self._joined_choice(stacked, axis=1)
        joined = np.empty(stacked.shape[1:], dtype=np.float32)
        for part in head.slices or (slice(None),):
            joined[..., part] = self._joined_choice(stacked[..., part], axis=-1)
        return joined

    def _joined_choice(self, logits: np.ndarray, *, axis: int) -> FloatArray:
        """(members, ...) logits to the logarithm of the mean probability along `axis`."""
        likely = softmax(logits, axis=axis)
        if self._rule == "vote":
            likely = (likely == likely.max(axis=axis, keepdims=True)).astype(np.float64)
            likely /= likely.sum(axis=axis, keepdims=True)
        logs: FloatArray = np.log(np.maximum(likely.mean(axis=0), SMALLEST)).astype(np.float32)
        return logs

    def _joined_yes_or_no(self, logits: np.ndarray) -> FloatArray:
        """(members, labels) logits to the log-odds of the mean probability."""
        likely = sigmoid(logits)
        if self._rule == "vote":
            likely = (likely >= 0.5).astype(np.float64)
        mean = likely.mean(axis=0).clip(SMALLEST, 1.0 - SMALLEST)
        odds: FloatArray = (np.log(mean) - np.log1p(-mean)).astype(np.float32)
        return odds


def check_joinable(heads: Sequence[HeadSpec], rule: Rule) -> None:
    """An error where the answers of these heads cannot be joined by the rule."""
    for head in heads:
        if head.kind in ("vector", "text"):
            raise BadInputError(f"answers of {head.kind!r} heads cannot be joined: use one model")
        if head.kind == "span" and rule == "vote":
            # Votes on where it begins and on where it ends may make an answer that no member gave.
            raise BadInputError("no vote is taken on the two ends of an answer: use rule 'mean'")
