"""Intervals and tests behave as their definitions say."""

from collections.abc import Sequence

import numpy as np
import pytest

from biobert.core.document import Document, Entity, Span
from biobert.core.task import Scores
from biobert.evaluation.labels import score_labels
from biobert.evaluation.significance import (
    PairedCounts,
    PairedDocuments,
    approximate_randomisation,
    bootstrap_interval,
    paired_bootstrap,
    sentence_counts,
)

GOLD = Document(
    "1",
    "lithium works. aspirin works.",
    sentences=(Span(0, 14), Span(15, 29)),
    entities=(Entity(0, 7, "Chemical"), Entity(15, 22, "Chemical")),
)
PREDICTED = Document(
    "1", GOLD.text, entities=(Entity(15, 22, "Chemical"), Entity(23, 28, "Chemical"))
)


def generator() -> np.random.Generator:
    return np.random.default_rng(3)


def test_counts_stand_in_the_sentence_of_the_mention() -> None:
    counts = sentence_counts([GOLD], [PREDICTED], ["Chemical"])
    assert counts.tolist() == [[0, 1, 0], [1, 1, 2]]


def test_a_perfect_system_has_no_spread() -> None:
    counts = np.tile([[2, 2, 2]], (50, 1))
    interval = bootstrap_interval(counts, generator())
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_the_interval_encloses_the_score_and_narrows_with_data() -> None:
    random = np.random.default_rng(1)
    few = np.stack([random.integers(0, 2, 40), np.ones(40, int), np.ones(40, int)], axis=1)
    many = np.tile(few, (25, 1))
    wide, narrow = (bootstrap_interval(counts, generator()) for counts in (few, many))
    score = few[:, 0].mean()
    assert wide.low < score < wide.high
    assert (narrow.high - narrow.low) < 0.4 * (wide.high - wide.low)


def test_equal_systems_do_not_differ_and_better_ones_do() -> None:
    good = np.tile([[9, 10, 10]], (60, 1))
    bad = np.tile([[5, 10, 10]], (60, 1))
    same, better, worse = (PairedCounts(*two) for two in ((good, good), (bad, good), (good, bad)))
    assert approximate_randomisation(same, generator(), samples=200) == 1.0
    assert approximate_randomisation(better, generator(), samples=200) < 0.01
    found = paired_bootstrap(better, generator(), samples=200)
    assert found.not_better == 0.0
    assert found.interval.low == found.interval.high == pytest.approx(0.4)
    assert paired_bootstrap(worse, generator(), samples=200).not_better == 1.0
    assert paired_bootstrap(same, generator(), samples=200).not_better == 1.0


def test_a_difference_by_chance_has_a_uniform_p() -> None:
    """Of two systems that err alike, one in ten tests gives p below a tenth."""
    random = np.random.default_rng(5)
    small = 0
    for _ in range(60):
        first, second = (
            np.stack([random.integers(0, 2, 40), np.ones(40, int), np.ones(40, int)], axis=1)
            for _ in range(2)
        )
        small += approximate_randomisation(PairedCounts(first, second), random, samples=99) < 0.1
    assert 1 <= small <= 14


def test_documents_are_compared_by_their_task_s_own_score() -> None:
    gold = [Document(str(number), "text", labels=("yes",)) for number in range(30)]
    half = [
        Document(one.id, "text", labels=("yes" if number % 2 else "no",))
        for number, one in enumerate(gold)
    ]

    def measure(wanted: Sequence[Document], found: Sequence[Document]) -> Scores:
        return score_labels([one.labels for one in wanted], [one.labels for one in found], ["yes"])

    units = PairedDocuments(gold, half, gold, measure)
    assert approximate_randomisation(units, generator(), samples=200) < 0.01
    assert paired_bootstrap(units, generator(), samples=200).not_better == 0.0
