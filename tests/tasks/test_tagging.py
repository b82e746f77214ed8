"""The best tag sequence is that of a search over all of them."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.tasks._tagging import best_tags


def is_valid(tags: tuple[int, ...]) -> bool:
    """Every I (2, 4) follows a B (1, 3) or I of its own type."""
    before = (0, *tags)
    return all(
        tag == 0 or tag % 2 == 1 or before[place] in (tag - 1, tag)
        for place, tag in enumerate(tags)
    )


def searched(log_probabilities: np.ndarray) -> float:
    """The best total of any valid sequence, by trying all of them."""
    words, tags = log_probabilities.shape
    return max(
        sum(log_probabilities[place, tag] for place, tag in enumerate(sequence))
        for sequence in product(range(tags), repeat=words)
        if is_valid(sequence)
    )


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
    st.sampled_from([3, 5]),
    st.integers(0, 10_000),
)
def test_the_best_sequence_is_the_one_a_full_search_finds(
    lengths: list[int], tags: int, seed: int
) -> None:
    scores = np.random.default_rng(seed).normal(size=(sum(lengths), 2, tags)).astype(np.float32)
    starts = np.cumsum([0, *lengths])[:-1]
    first = np.zeros(sum(lengths), dtype=np.bool_)
    first[starts] = True
    found = best_tags(scores, first)
    for start, length in zip(starts, lengths, strict=True):
        for group in range(2):
            own = found[start : start + length, group]
            assert is_valid(tuple(own.tolist()))
            part = scores[start : start + length, group]
            total = sum(part[place, tag] for place, tag in enumerate(own))
            assert total == pytest.approx(searched(part), abs=1e-4)


def test_a_stray_inside_tag_is_no_mention() -> None:
    # The best tag of the second word alone is I, which could only follow a B.
    probabilities = np.array([[[0.98, 0.01, 0.01]], [[0.45, 0.05, 0.5]]])
    first = np.array([True, False])
    assert best_tags(np.log(probabilities), first).tolist() == [[0], [0]]
