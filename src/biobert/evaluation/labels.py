"""Scores of single labels: the token-level report, and the confusion matrix."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from biobert.core.document import Document
from biobert.core.task import Score, Scores
from biobert.evaluation.spans import macro_average, score_from_counts

OUTSIDE = "O"


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionMatrix:
    """`counts[g, p]`: how often gold label g was answered with p; `labels` names both axes."""

    labels: tuple[str, ...]
    counts: npt.NDArray[np.int64]


def confusion_matrix(gold: Sequence[str], predicted: Sequence[str]) -> ConfusionMatrix:
    """Count pairs of labels; labels are sorted, `O` first."""
    labels = tuple(sorted({*gold, *predicted}, key=lambda label: (label != OUTSIDE, label)))
    numbers = {label: number for number, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    pairs = [(numbers[one], numbers[other]) for one, other in zip(gold, predicted, strict=True)]
    if pairs:
        np.add.at(counts, tuple(np.array(pairs).T), 1)
    return ConfusionMatrix(labels, counts)


def classification_report(matrix: ConfusionMatrix) -> dict[str, Score]:
    """Precision, recall, F1 and support of each label, as scikit-learn's report has them."""
    correct = np.diag(matrix.counts)
    wanted, found = matrix.counts.sum(axis=1), matrix.counts.sum(axis=0)
    return {
        label: score_from_counts(int(correct[number]), int(wanted[number]), int(found[number]))
        for number, label in enumerate(matrix.labels)
    }


def score_labels(
    gold: Sequence[Collection[str]],
    predicted: Sequence[Collection[str]],
    labels: Sequence[str],
    choice: Literal["one", "many"] = "many",
) -> Scores:
    """Scores of label sets, over `labels`; `main` is micro F1.

    `details` has the accuracy, the share of items whose labels are exactly right, and the mean F1
    over labels: where items have `one` label each over those in gold or prediction, where they may
    have `many` over all, as scikit-learn has it for both. A predicted label that is none of
    `labels` is a wrong answer.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold but {len(predicted)} predicted label sets")
    own = _indicators(gold, labels)
    found = _indicators(predicted, labels)
    counts = np.stack([(own & found).sum(0), own.sum(0), found.sum(0)], axis=1).tolist()
    by_label = {name: score_from_counts(*row) for name, row in zip(labels, counts, strict=True)}
    right, wanted, answered = (sum(column) for column in zip(*counts, strict=True))
    foreign = [frozenset(one).difference(labels) for one in predicted]
    micro = score_from_counts(right, wanted, answered + sum(map(len, foreign)))
    is_exact = (own == found).all(axis=1) & np.array([not one for one in foreign], dtype=np.bool_)
    exact = float(is_exact.mean()) if len(own) else 0.0
    averaged = list(by_label.values())
    if choice == "one":
        occurring = [name for name, row in zip(labels, counts, strict=True) if any(row)]
        never_right = [score_from_counts(0, 0, 1)] * len(frozenset().union(*foreign))
        averaged = [*(by_label[name] for name in occurring), *never_right]
    details = {"accuracy": exact, "macro_f1": macro_average(averaged)["f1"]}
    return Scores(main=micro.f1, micro=micro, by_label=by_label, details=details)


def _indicators(sets: Sequence[Collection[str]], labels: Sequence[str]) -> npt.NDArray[np.bool_]:
    """(items, labels): whether an item has a label."""
    return np.array([[label in one for label in labels] for one in sets], dtype=np.bool_).reshape(
        len(sets), len(labels)
    )


def word_tags(document: Document, labels: Collection[str]) -> list[str]:
    """The IOB2 tag of every white-space word; of mentions that share one the first and longest
    counts."""
    words = [match.span() for match in re.finditer(r"\S+", document.text)]
    starts = np.array([start for start, _ in words])
    ends = np.array([end for _, end in words])
    tags = [OUTSIDE] * len(words)
    in_order = sorted(document.entities_labelled(labels), key=lambda one: (one.start, -one.end))
    for entity in in_order if words else ():
        first = int(np.searchsorted(ends, entity.start, side="right"))
        last = int(np.searchsorted(starts, entity.end, side="left"))
        if first < last and set(tags[first:last]) == {OUTSIDE}:
            tags[first:last] = [f"I-{entity.label}"] * (last - first)
            tags[first] = f"B-{entity.label}"
    return tags
