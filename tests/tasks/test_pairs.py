"""Two texts in a row: nothing of either is lost, whatever their lengths."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from biobert.core.document import Document, Passage, Span
from biobert.core.errors import BadInputError
from biobert.core.passages import passage_of
from biobert.core.task import Window
from biobert.tasks import _pairs
from biobert.tasks._pairs import TextPair, encode_pairs
from biobert.text.windows import WindowSettings
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
CLS, SEP = TOKENIZER.special("cls"), TOKENIZER.special("sep")


def pair_of(first: str, second: str, gap: str = "\n") -> TextPair:
    text = f"{first}{gap}{second}"
    # A span is never empty; an empty text has no passage at all.
    return TextPair(
        "d",
        text,
        Span(0, len(first)),
        Span(len(first) + len(gap), len(first) + len(gap) + len(second)),
    )


def tokens(window: Window, side: int) -> list[tuple[int, int, int]]:
    """Ids and offsets of the window's pieces of one text."""
    return [
        (int(number), int(start), int(end))
        for number, (start, end), segment in zip(
            window.token_ids, window.offsets, window.segment_ids, strict=True
        )
        if segment == side and start >= 0
    ]


def pieces(text: str, span: Span) -> list[tuple[int, int, int]]:
    (found,) = TOKENIZER.pieces([text[span.start : span.end]])
    return [
        (int(number), int(start) + span.start, int(end) + span.start)
        for number, (start, end) in zip(found.ids, found.offsets, strict=True)
    ]


words = st.lists(st.text(alphabet="ab2-.", min_size=1, max_size=9), min_size=1, max_size=30).map(
    " ".join
)


@given(
    first=words,
    second=words,
    room=st.integers(2, 40),
    overlap=st.integers(0, 6),
)
@example(first="a" * 40, second="b" * 40, room=2, overlap=0)
def test_windows_cover_both_texts_and_own_the_second_once(
    first: str, second: str, room: int, overlap: int
) -> None:
    if room + 1 <= 2 * overlap:
        overlap = 0
    settings = WindowSettings(maximum_tokens=room + 3, overlap_tokens=overlap)
    pair = pair_of(first, second)
    with patch.object(_pairs, "MOST_WINDOWS", 10**6):
        (windows,) = encode_pairs([pair], TOKENIZER, settings)
    stretches: dict[tuple[tuple[int, int, int], ...], list[tuple[int, int, int]]] = {}
    for window in windows:
        assert len(window) <= settings.maximum_tokens
        assert window.token_ids[0] == CLS and window.token_ids[-1] == SEP
        assert (window.token_ids == SEP).sum() == 2
        assert (np.diff(window.segment_ids) >= 0).all()
        assert (window.segment_ids[window.owned] == 1).all()
        owned = [
            (int(window.token_ids[place]), *map(int, window.offsets[place]))
            for place in range(*window.owned.indices(len(window)))
        ]
        stretches.setdefault(tuple(tokens(window, 0)), []).extend(owned)
    everything = pieces(pair.text, pair.second)
    # Each stretch of the first text meets the whole second, of which every piece has one owner.
    for owned in stretches.values():
        assert owned == everything
    covered = {piece for stretch in stretches for piece in stretch}
    assert covered == set(pieces(pair.text, pair.first))


@given(first=words, second=words)
def test_a_pair_that_fits_is_one_row_as_bert_wants_it(first: str, second: str) -> None:
    pair = pair_of(first, second)
    ((window,),) = encode_pairs([pair], TOKENIZER, WindowSettings(1000, 10))
    one, other = pieces(pair.text, pair.first), pieces(pair.text, pair.second)
    ids = [CLS, *(piece[0] for piece in one), SEP, *(piece[0] for piece in other), SEP]
    assert window.token_ids.tolist() == ids
    assert window.segment_ids.tolist() == [0] * (len(one) + 2) + [1] * (len(other) + 1)
    expected = [(-1, -1), *(p[1:] for p in one), (-1, -1), *(p[1:] for p in other), (-1, -1)]
    assert [tuple(offset) for offset in window.offsets.tolist()] == expected


def test_words_are_numbered_through_both_texts() -> None:
    ((window,),) = encode_pairs([pair_of("qq lithium", "aspirin")], TOKENIZER, WindowSettings())
    # [CLS] q ##q lithium [SEP] aspirin [SEP]
    assert window.words.tolist() == [-1, 0, 0, 1, -1, 2, -1]


def test_a_short_question_stays_whole_beside_every_stretch_of_a_long_context() -> None:
    pair = pair_of("does aspirin help", "cancer " * 20_000)
    settings = WindowSettings(maximum_tokens=512, overlap_tokens=64)
    (windows,) = encode_pairs([pair], TOKENIZER, settings)
    question = pieces(pair.text, pair.first)
    assert all(tokens(window, 0) == question for window in windows)
    owned = sum(window.owned.stop - window.owned.start for window in windows)
    assert owned == 20_000
    assert len(windows) < 20_000 / (512 - 3 - len(question) - 2 * 64) + 2


def test_a_question_of_half_a_row_does_not_multiply_the_windows() -> None:
    pair = pair_of("cancer " * 190, "cancer " * 20_000)
    (windows,) = encode_pairs([pair], TOKENIZER, WindowSettings(384, 96))
    assert all(len(tokens(window, 0)) == 190 for window in windows[:: len(windows) // 9])
    assert len(windows) <= 20_000 / (191 / 4) + 1


@pytest.mark.parametrize("first", [10, 180, 254, 300])
def test_what_begins_in_the_stretch_of_a_window_is_whole_there(first: int) -> None:
    longest, context = 160, 700
    pair, settings = pair_of("cancer " * first, "lithium " * context), WindowSettings(512, 160)
    (windows,) = encode_pairs([pair], TOKENIZER, settings, least_behind=longest - 1)
    begun: set[int] = set()
    for window in windows:
        begins = window.offsets[window.owned, 0]
        last = window.offsets[-2, 0]
        whole = begins + 8 * (longest - 1) <= last
        at_the_end = begins + 8 * (longest - 1) > pair.second.start + 8 * (context - 1)
        assert (whole | at_the_end).all()
        begun.update(begins.tolist())
    assert len(begun) == context
    assert len(windows) <= (14 if first < 256 else 2 * 14)


def test_a_short_text_leaves_the_windows_of_the_other_as_they_are() -> None:
    pair, settings = pair_of("cancer " * 80, "lithium " * 2000), WindowSettings(512, 160)
    (usual,) = encode_pairs([pair], TOKENIZER, settings)
    (asked,) = encode_pairs([pair], TOKENIZER, settings, least_behind=159)
    assert [one.token_ids.tolist() for one in asked] == [one.token_ids.tolist() for one in usual]
    assert [one.owned for one in asked] == [one.owned for one in usual]


def test_a_text_beside_which_too_little_can_be_seen_is_refused() -> None:
    pair, settings = pair_of("cancer " * 9, "lithium " * 40), WindowSettings(23, 0)
    with pytest.raises(BadInputError, match=r"the 9 tokens of its first text a row has 11 .* 12"):
        encode_pairs([pair], TOKENIZER, settings, least_behind=11)
    (windows,) = encode_pairs([pair], TOKENIZER, settings, least_behind=10)
    assert sum(one.owned.stop - one.owned.start for one in windows) == 40


def test_two_texts_that_make_too_many_windows_are_refused() -> None:
    settings = WindowSettings(512, 64)
    with pytest.raises(BadInputError) as refused:
        encode_pairs([pair_of("cancer " * 20_000, "lithium " * 19_000)], TOKENIZER, settings)
    said = str(refused.value)
    assert said.startswith("document 'd': 158 x 149 stretches")
    assert "make 23542 windows, and 4000 are the most" in said
    assert "shorten the shorter text: up to 254 tokens it is read whole" in said
    for first, second in ((254, 20_000), (20_000, 254)):
        (windows,) = encode_pairs(
            [pair_of("cancer " * first, "lithium " * second)], TOKENIZER, settings
        )
        assert len(windows) < 200


def test_the_windows_of_two_long_texts_are_taken_up_to_the_most() -> None:
    pair, settings = pair_of("cancer " * 40, "lithium " * 40), WindowSettings(23, 0)
    with patch.object(_pairs, "MOST_WINDOWS", 16):
        (windows,) = encode_pairs([pair], TOKENIZER, settings)
    assert len(windows) == 16
    with patch.object(_pairs, "MOST_WINDOWS", 15), pytest.raises(BadInputError, match="4 x 4"):
        encode_pairs([pair], TOKENIZER, settings)


def test_windows_without_room_for_two_texts_are_refused() -> None:
    with pytest.raises(BadInputError, match="maximum_tokens = 4: a pair needs 5"):
        encode_pairs([pair_of("a", "b")], TOKENIZER, WindowSettings(4, 0))


def sectioned(*kinds: str) -> Document:
    passages = tuple(Passage(4 * place, 4 * place + 3, kind) for place, kind in enumerate(kinds))
    return Document("d", "abc\n" * len(kinds), passages=passages)


def test_sections_of_one_kind_are_one_stretch_whatever_their_headings() -> None:
    document = sectioned("title", "heading", "abstract", "heading", "abstract", "body")
    assert passage_of(document, "abstract") == Span(8, 19)
    assert passage_of(document, "title") == Span(0, 3)
    empty = Document("d", "abc", passages=(Passage(0, 3, "a"), Passage(1, 1, "table")))
    assert passage_of(empty, "a") == Span(0, 3)


def test_a_missing_or_parted_passage_is_named() -> None:
    with pytest.raises(BadInputError, match=r"'d' needs a passage 'question'.*title, abstract"):
        passage_of(sectioned("title", "abstract"), "question")
    with pytest.raises(BadInputError, match=r"'figure' stands between its passages 'abstract'"):
        passage_of(sectioned("abstract", "figure", "abstract"), "abstract")
    with pytest.raises(BadInputError, match=r"needs a passage 'a' with text"):
        passage_of(Document("d", "abc", passages=(Passage(1, 1, "a"),)), "a")
