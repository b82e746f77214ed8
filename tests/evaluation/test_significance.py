"""Intervals and tests behave as their definitions say."""

import numpy as np

from biobert.core.document import Document, Entity, Span
from biobert.evaluation.significance import (
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
    assert approximate_randomisation(good, good, generator(), samples=200) == 1.0
    assert approximate_randomisation(good, bad, generator(), samples=200) < 0.01
    assert paired_bootstrap(good, bad, generator(), samples=200) == 0.0
    assert paired_bootstrap(bad, good, generator(), samples=200) == 1.0
