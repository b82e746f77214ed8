"""How sure a score is: bootstrap intervals and tests between two systems, over documents.

Efron and Tibshirani 1993 for the bootstrap; Noreen 1989 for approximate randomisation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biobert.core.document import Document
from biobert.core.task import Scores
from biobert.evaluation.spans import check_same_texts
from biobert.text.sentences import sentences_of

Counts = npt.NDArray[np.int64]
"""(units, 3): correct, gold and predicted mentions of each resampled unit (a sentence)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a score between 0 and 1."""

    low: float
    high: float
    level: float = 0.95


def sentence_counts(
    gold: Sequence[Document], predicted: Sequence[Document], labels: Sequence[str]
) -> Counts:
    """Correct, gold and predicted mentions of every sentence."""
    check_same_texts(gold, predicted)
    wanted = frozenset(labels)
    rows: list[Counts] = []
    for one, other in zip(gold, predicted, strict=True):
        starts = np.array([span.start for span in sentences_of(one)] or [0])
        own = {(e.start, e.end, e.label) for e in one.entities if e.label in wanted}
        found = {(e.start, e.end, e.label) for e in other.entities if e.label in wanted}
        table = np.zeros((len(starts), 3), dtype=np.int64)
        for column, keys in enumerate((own & found, own, found)):
            places = np.searchsorted(starts, [key[0] for key in keys], side="right") - 1
            np.add.at(table[:, column], places.clip(0), 1)
        rows.append(table)
    return np.concatenate(rows) if rows else np.zeros((0, 3), dtype=np.int64)


def bootstrap_interval(
    counts: Counts, generator: np.random.Generator, *, samples: int = 1000, level: float = 0.95
) -> Interval:
    """The percentile interval of micro F1 when the units are drawn again and again."""
    totals = _resampled(counts, generator, samples)
    edges = np.quantile(_f1(totals), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(edges[0]), float(edges[1]), level)


def bootstrap_documents(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    measure: Callable[[Sequence[Document], Sequence[Document]], Scores],
    generator: np.random.Generator,
    *,
    samples: int = 300,
    level: float = 0.95,
) -> Interval:
    """The percentile interval of a task's main score when documents are drawn again and again."""
    check_same_texts(gold, predicted)
    found = []
    for _ in range(samples):
        drawn = generator.integers(0, len(gold), len(gold)).tolist() if gold else []
        sample = [gold[number] for number in drawn], [predicted[number] for number in drawn]
        found.append(measure(*sample).main)
    edges = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(edges[0]), float(edges[1]), level)


def paired_bootstrap(
    first: Counts, second: Counts, generator: np.random.Generator, *, samples: int = 1000
) -> float:
    """The share of resamples in which the first system is not better than the second."""
    both = np.concatenate([first, second], axis=1)
    totals = _resampled(both, generator, samples)
    return float(np.mean(_f1(totals[:, :3]) <= _f1(totals[:, 3:])))


def approximate_randomisation(
    first: Counts, second: Counts, generator: np.random.Generator, *, samples: int = 1000
) -> float:
    """Two-sided p of the difference in F1 when systems swap their answers unit by unit."""
    observed = abs(_f1(first.sum(axis=0)) - _f1(second.sum(axis=0)))
    at_least = 0
    for _ in range(samples):
        swap = generator.random(len(first)) < 0.5
        one = np.where(swap[:, None], second, first).sum(axis=0)
        other = np.where(swap[:, None], first, second).sum(axis=0)
        at_least += bool(abs(_f1(one) - _f1(other)) >= observed - 1e-12)
    return (at_least + 1) / (samples + 1)


def _resampled(counts: Counts, generator: np.random.Generator, samples: int) -> Counts:
    """Column totals of resamples of the rows."""
    units = len(counts)
    if not units:
        return np.zeros((samples, counts.shape[1]), dtype=np.int64)
    totals = np.empty((samples, counts.shape[1]), dtype=np.int64)
    for number in range(samples):
        times = np.bincount(generator.integers(0, units, units), minlength=units)
        totals[number] = times @ counts
    return totals


def _f1(totals: Counts) -> npt.NDArray[np.float64]:
    correct, wanted, found = totals[..., 0], totals[..., 1], totals[..., 2]
    scores: npt.NDArray[np.float64] = 2 * correct / np.maximum(1, wanted + found)
    return scores
