"""Windows cover everything once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.errors import BadInputError
from biobert.text.windows import WindowSettings, piece_ranges

word_lengths = st.lists(st.integers(1, 9), max_size=120)


@given(word_lengths, st.integers(0, 6), st.integers(1, 20))
def test_every_piece_is_owned_by_exactly_one_window(
    lengths: list[int], overlap: int, room: int
) -> None:
    words = np.repeat(np.arange(len(lengths)), lengths)
    ranges = piece_ranges(words, capacity=2 * overlap + room, overlap=overlap)
    owned = [piece for part in ranges for piece in range(part.own_start, part.own_stop)]
    assert owned == list(range(len(words)))


@given(word_lengths, st.integers(0, 6), st.integers(1, 20))
def test_windows_keep_their_capacity_and_hold_what_they_own(
    lengths: list[int], overlap: int, room: int
) -> None:
    words = np.repeat(np.arange(len(lengths)), lengths)
    capacity = 2 * overlap + room
    for part in piece_ranges(words, capacity=capacity, overlap=overlap):
        assert part.stop - part.start <= capacity
        assert 0 <= part.start <= part.own_start <= part.own_stop <= part.stop <= len(words)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=120))
def test_ownership_changes_at_word_starts(lengths: list[int]) -> None:
    words = np.repeat(np.arange(len(lengths)), lengths)
    for part in piece_ranges(words, capacity=20, overlap=4)[1:]:
        assert words[part.own_start] != words[part.own_start - 1]


def test_inner_pieces_see_the_overlap_on_both_sides() -> None:
    ranges = piece_ranges(np.arange(1000), capacity=100, overlap=20)
    for part in ranges[1:]:
        assert part.own_start - part.start >= 20
    for part in ranges[:-1]:
        assert part.stop - part.own_stop >= 20


def test_a_text_without_pieces_has_one_empty_window() -> None:
    (part,) = piece_ranges(np.zeros(0, dtype=np.int64), capacity=10, overlap=2)
    assert (part.start, part.stop, part.own_start, part.own_stop) == (0, 0, 0, 0)


def test_settings_that_leave_no_room_are_refused() -> None:
    with pytest.raises(BadInputError, match="must exceed"):
        WindowSettings(maximum_tokens=20, overlap_tokens=9)
