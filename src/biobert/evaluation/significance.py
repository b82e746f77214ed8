"""How sure a score is: bootstrap intervals and tests between two systems, over documents.

Efron and Tibshirani 1993 for the bootstrap; Noreen 1989 for approximate randomisation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from biobert.core.document import Document
from biobert.core.task import Counts, Scores
from biobert.evaluation.spans import check_same_texts, mention_key
from biobert.text.sentences import sentences_of

Units = npt.NDArray[np.int64]
Choice = npt.NDArray[np.bool_]


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
    rows: list[Counts] = []
    for one, other in zip(gold, predicted, strict=True):
        own = set(map(mention_key, one.entities_labelled(labels)))
        found = set(map(mention_key, other.entities_labelled(labels)))
        columns = ([key[0] for key in keys] for keys in (own & found, own, found))
        rows.append(counted_by_sentence(one, *columns))
    return np.concatenate(rows) if rows else np.zeros((0, 3))


def counted_by_sentence(
    document: Document, right: Sequence[int], gold: Sequence[int], predicted: Sequence[int]
) -> Counts:
    """The counts of a document's sentences, from where right, gold and predicted answers begin."""
    starts = np.array([span.start for span in sentences_of(document)] or [0])
    table = np.zeros((len(starts), 3))
    for column, begins in enumerate((right, gold, predicted)):
        places = np.searchsorted(starts, begins, side="right") - 1
        np.add.at(table[:, column], places.clip(0), 1)
    return table


def answer_counts(gold: Sequence[frozenset[Any]], predicted: Sequence[frozenset[Any]]) -> Counts:
    """Right, gold and predicted answers of every document."""
    rows = [
        (len(one & other), len(one), len(other)) for one, other in zip(gold, predicted, strict=True)
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


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


class PairedUnits(Protocol):
    """The answers of two systems to the same units: sentences, or documents."""

    def __len__(self) -> int:
        """How many units there are."""
        ...

    def score(self, drawn: Units, second: Choice) -> float:
        """The score over the units drawn (n,), which may come again; at those where `second` (n,)
        is True with the second system's answers."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PairedCounts:
    """Micro F1 of two systems' counts in every unit."""

    first: Counts
    second: Counts

    def __len__(self) -> int:
        return len(self.first)

    def score(self, drawn: Units, second: Choice) -> float:
        """Micro F1 over the units drawn."""
        rows = np.where(second[:, None], self.second[drawn], self.first[drawn])
        return float(_f1(rows.sum(axis=0)))


@dataclass(frozen=True, slots=True, eq=False)
class PairedDocuments:
    """A task's main score of two systems' documents."""

    gold: Sequence[Document]
    first: Sequence[Document]
    second: Sequence[Document]
    measure: Callable[[Sequence[Document], Sequence[Document]], Scores]

    def __len__(self) -> int:
        return len(self.gold)

    def score(self, drawn: Units, second: Choice) -> float:
        """The main score over the documents drawn."""
        numbers = list(zip(drawn.tolist(), second.tolist(), strict=True))
        answers = [(self.second if other else self.first)[number] for number, other in numbers]
        return self.measure([self.gold[number] for number, _ in numbers], answers).main


@dataclass(frozen=True, slots=True)
class PairedBootstrap:
    """The interval of the second system's score minus the first's, and the share of resamples in
    which the second is not better."""

    interval: Interval
    not_better: float


def paired_bootstrap(
    units: PairedUnits,
    generator: np.random.Generator,
    *,
    samples: int = 1000,
    level: float = 0.95,
) -> PairedBootstrap:
    """Both systems on the same resamples of the units."""
    size = len(units)
    first, second = np.zeros(size, dtype=np.bool_), np.ones(size, dtype=np.bool_)
    differences = np.zeros(samples)
    for number in range(samples if size else 0):
        drawn = generator.integers(0, size, size)
        differences[number] = units.score(drawn, second) - units.score(drawn, first)
    edges = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    interval = Interval(float(edges[0]), float(edges[1]), level)
    return PairedBootstrap(interval, float(np.mean(differences <= 0)))


def approximate_randomisation(
    units: PairedUnits, generator: np.random.Generator, *, samples: int = 1000
) -> float:
    """Two-sided p of the difference in score when systems swap their answers unit by unit."""
    size = len(units)
    everything = np.arange(size)
    nobody = np.zeros(size, dtype=np.bool_)
    observed = abs(units.score(everything, ~nobody) - units.score(everything, nobody))
    at_least = 0
    for _ in range(samples):
        swap = generator.random(size) < 0.5
        difference = abs(units.score(everything, ~swap) - units.score(everything, swap))
        at_least += bool(difference >= observed - 1e-12)
    return (at_least + 1) / (samples + 1)


def _resampled(counts: Counts, generator: np.random.Generator, samples: int) -> Counts:
    """Column totals of resamples of the rows."""
    units = len(counts)
    if not units:
        return np.zeros((samples, counts.shape[1]))
    totals = np.empty((samples, counts.shape[1]))
    for number in range(samples):
        times = np.bincount(generator.integers(0, units, units), minlength=units)
        totals[number] = times @ counts
    return totals


def _f1(totals: Counts) -> npt.NDArray[np.float64]:
    correct, wanted, found = totals[..., 0], totals[..., 1], totals[..., 2]
    scores: npt.NDArray[np.float64] = 2 * correct / np.maximum(1, wanted + found)
    return scores
