"""Ranks and their scores, against sorting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.evaluation.ranking import ranks, score_ranks


@given(st.integers(0, 10_000), st.integers(1, 700), st.integers(1, 9))
def test_ranks_are_those_of_a_sorted_list(seed: int, questions: int, candidates: int) -> None:
    generator = np.random.default_rng(seed)
    wanted = generator.standard_normal((questions, 3)).astype(np.float32)
    known = generator.standard_normal((candidates, 3)).astype(np.float32)
    answers = generator.integers(0, candidates, questions)
    found = ranks(wanted, known, answers)
    for number in generator.integers(0, questions, 5).tolist():
        cosines = [
            float(wanted[number] @ one / np.linalg.norm(wanted[number]) / np.linalg.norm(one))
            for one in known.astype(np.float64)
        ]
        order = sorted(range(candidates), key=lambda one: -cosines[one])
        assert found[number] == order.index(answers[number]) + 1


def test_vectors_that_are_all_alike_score_nothing() -> None:
    alike = np.ones((20, 4), dtype=np.float32)
    found = ranks(alike, alike, np.arange(20))
    assert found.tolist() == [20] * 20
    assert score_ranks(found, candidates=20).details["recall_at_10"] == 0.0


def test_scores_by_hand() -> None:
    scores = score_ranks([1, 2, 10, 20], candidates=50)
    assert scores.main == pytest.approx((1 + 0.5 + 0.1 + 0.05) / 4)
    assert scores.details["recall_at_1"] == 0.25
    assert scores.details["recall_at_10"] == 0.75
    assert scores.details["median_rank"] == 6.0
    assert scores.micro.support == 4
    assert score_ranks([], candidates=0).main == 0.0
