"""From logits to probabilities, against scipy, and windows that are joined."""

import numpy as np
import pytest
from scipy import special

from biobert.core.probabilities import joined, log_softmax, sigmoid, softmax

LOGITS = np.random.default_rng(1).normal(scale=9, size=(4, 3, 5)).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_probabilities_are_those_of_scipy(axis: int) -> None:
    before = LOGITS.copy()
    for own, known in ((softmax, special.softmax), (log_softmax, special.log_softmax)):
        found = own(LOGITS, axis=axis)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, known(LOGITS, axis=axis), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(sigmoid(LOGITS), special.expit(LOGITS), rtol=1e-5)
    assert (before == LOGITS).all()


def test_what_is_impossible_has_no_probability_and_gives_no_warning() -> None:
    assert sigmoid(np.array([-1000.0, 1000.0], dtype=np.float32)).tolist() == [0.0, 1.0]


def test_windows_of_one_answer_are_joined_as_their_loss_asks() -> None:
    windows = np.array([[4.0, 0.0], [0.0, 3.0]], dtype=np.float32)
    assert joined(windows, "cross-entropy").tolist() == [2.0, 1.5]
    assert joined(windows, "binary").tolist() == [4.0, 3.0]
    # The mean of log-probabilities decides as that of logits does.
    likely = np.exp(log_softmax(log_softmax(windows).mean(axis=0)))
    np.testing.assert_allclose(softmax(joined(windows, "cross-entropy")), likely, rtol=1e-6)
