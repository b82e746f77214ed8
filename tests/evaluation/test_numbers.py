"""Correlations against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.evaluation.numbers import score_numbers

numbers = st.integers(-9, 9).map(float)


def pearson(one: np.ndarray, other: np.ndarray) -> float:
    first, second = one - one.mean(), other - other.mean()
    below = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / below) if below else 0.0


def ranks(values: np.ndarray) -> np.ndarray:
    """Ties share the mean of their ranks."""
    return np.array([(values < one).sum() + ((values == one).sum() + 1) / 2 for one in values])


@given(st.lists(st.tuples(numbers, numbers), max_size=12))
def test_correlations_are_what_they_are_called(pairs: list[tuple[float, float]]) -> None:
    gold, predicted = (np.array(side, dtype=float) for side in zip(*pairs, strict=True)) if pairs \
        else (np.zeros(0), np.zeros(0))  # fmt: skip
    found = score_numbers(gold, predicted)
    if len(pairs) < 2:
        assert found.main == 0.0
        return
    assert found.main == found.details["pearson"] == pytest.approx(pearson(gold, predicted))
    expected = pearson(ranks(gold), ranks(predicted))
    assert found.details["spearman"] == pytest.approx(expected)
    assert found.details["mean_squared_error"] == pytest.approx(((gold - predicted) ** 2).mean())
    assert found.micro.support == len(pairs)
