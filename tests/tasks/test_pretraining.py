"""The pretraining objective: segments and their pairs, by their statistics; gaps in a text."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.core.task import IGNORED
from biobert.data.shards import TokenShard
from biobert.tasks._segments import DIFFERS, FOLLOWS, Segments, segment_rows
from biobert.tasks.pretraining import (
    GAP,
    PAIRS,
    WORDS,
    Pretraining,
    SegmentPool,
    gap_places,
)
from tests.tasks.pretraining_cases import TOKENIZER, VOCABULARY, masked, toy_shard


def document_of(shard: TokenShard, token: int) -> int:
    sentence = int(np.searchsorted(shard.sentence_ends, token, side="right"))
    return int(np.searchsorted(shard.document_ends, sentence, side="right"))


def drawn(shard: TokenShard, *, length: int = 64, pairs: str = "next", seed: int = 1) -> Segments:
    return segment_rows(
        shard,
        length=length,
        pairing=pairs,  # type: ignore[arg-type]
        short_rows=0.1,
        generator=np.random.default_rng(seed),
    )


@pytest.mark.parametrize("pairs", ["next", "order", "none"])
@given(
    documents=st.integers(1, 40),
    longest=st.integers(1, 150),
    length=st.integers(8, 80),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_every_token_stands_in_exactly_one_row_that_fits(
    pairs: str, documents: int, longest: int, length: int, seed: int
) -> None:
    shard = toy_shard(documents, seed=seed, longest_sentence=longest)
    rows = drawn(shard, length=length, pairs=pairs, seed=seed)
    seen = np.zeros(len(shard.tokens), dtype=int)
    for start, stop in (
        *zip(rows.first_start, rows.first_stop, strict=True),
        *zip(rows.second_start, rows.second_stop, strict=True),
    ):
        seen[start:stop] += 1
    assert (seen == 1).all()
    assert rows.lengths.max() <= length


def test_half_of_the_pairs_are_strangers_from_other_documents() -> None:
    shard = toy_shard()
    rows = drawn(shard)
    counts = Counter(rows.label.tolist())
    assert counts[DIFFERS] / (counts[DIFFERS] + counts[FOLLOWS]) == pytest.approx(0.5, abs=0.02)
    for label, start, stop, second in zip(
        rows.label, rows.first_start, rows.first_stop, rows.second_start, strict=True
    ):
        if label == DIFFERS:
            assert document_of(shard, start) != document_of(shard, second)
        elif label == FOLLOWS:
            assert stop == second
            assert document_of(shard, start) == document_of(shard, second)


def shard_of(*sentences: int) -> TokenShard:
    """Documents of so many sentences of ten pieces each."""
    count = sum(sentences)
    tokens = np.full(10 * count, VOCABULARY.drawable[0], dtype=np.uint16)
    return TokenShard(tokens, 10 * (np.arange(count) + 1), np.cumsum(sentences))


def test_a_shard_of_one_long_document_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """It has few strangers to give: the pairs hardly differ."""
    task = Pretraining.from_settings({})
    few = task.draw([shard_of(900, 60)], length=64, generator=np.random.default_rng(1))
    assert few.strangers is not None and 0.0 < few.strangers < 0.2
    (said,) = caplog.messages
    assert f"'next': {100 * few.strangers:.0f}% of the pairs have" in said
    task.draw([shard_of(900, 60)], length=64, generator=np.random.default_rng(2))
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(("pairs", "sentences"), [("next", [30] * 40), ("none", [900, 60])])
def test_where_half_are_strangers_or_none_are_wanted_nothing_is_told(
    pairs: str, sentences: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    task = Pretraining.from_settings({"pairs": pairs})
    pool = task.draw([shard_of(*sentences)], length=64, generator=np.random.default_rng(1))
    assert pool.strangers is None if pairs == "none" else (pool.strangers or 0) > 0.45
    assert caplog.messages == []


def test_pairs_of_one_document_are_refused() -> None:
    shard = toy_shard(1, longest_sentence=20, seed=3)
    for pairs in ("order", "none"):
        assert len(masked(Pretraining.from_settings({"pairs": pairs}), shard).token_ids)
    with pytest.raises(BadInputError, match=r"more documents, or set task\.pairs"):
        masked(Pretraining.from_settings({}), shard)


def test_sentence_order_swaps_half_of_the_pairs() -> None:
    shard = toy_shard()
    rows = drawn(shard, pairs="order")
    paired = rows.label != IGNORED
    assert (rows.label[paired] == DIFFERS).mean() == pytest.approx(0.5, abs=0.04)
    swapped = rows.label == DIFFERS
    assert (rows.second_stop[swapped] == rows.first_start[swapped]).all()
    assert (
        rows.first_stop[rows.label == FOLLOWS] == rows.second_start[rows.label == FOLLOWS]
    ).all()


def test_rows_are_nearly_full_and_differ_between_epochs() -> None:
    shard = toy_shard()
    first, second = drawn(shard, seed=1), drawn(shard, seed=2)
    assert first.lengths.mean() > 40
    assert not np.array_equal(first.first_stop[:100], second.first_stop[:100])


def test_packed_rows_number_their_sequences_and_restart_positions() -> None:
    rows = masked(Pretraining.from_settings({}), toy_shard(100), packed=3)
    for ids, numbers, positions in zip(
        rows.token_ids, rows.sequence_ids, rows.positions, strict=True
    ):
        starts = np.flatnonzero(ids == TOKENIZER.special("cls"))
        assert (positions[starts] == 0).all()
        assert numbers[starts].tolist() == [1, 2, 3]
        assert (np.diff(numbers[numbers > 0]) >= 0).all()
    assert len(rows.pair_places) == len(rows.pairs)
    assert (rows.token_ids.ravel()[rows.pair_places] == TOKENIZER.special("cls")).all()
    assert set(rows.pairs.tolist()) == {FOLLOWS, DIFFERS}


def test_the_second_segment_has_the_second_embedding() -> None:
    task = Pretraining.from_settings({})
    rows = masked(task, toy_shard(50))
    ids, segments = rows.token_ids, rows.segment_ids
    for row in range(len(ids)):
        ends = np.flatnonzero(ids[row] == TOKENIZER.special("sep"))
        assert not segments[row, : ends[0] + 1].any()
        if len(ends) == 2:
            assert segments[row, ends[0] + 1 : ends[1] + 1].all()
            assert not segments[row, ends[1] + 1 :].any()


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"masking": {"rate": 1.5}}, "rate = 1.5"),
        ({"masking": {"random": 0.7, "keep": 0.7}}, "shares of a whole"),
        ({"masking": {"weights": {"NN": -10.0}}}, "NN = -10.0: not below 0"),
        ({"pairs": "nxt"}, "did you mean 'next'"),
        ({"short_rows": 2.0}, "short_rows"),
    ],
)
def test_impossible_settings_are_refused(values: dict[str, object], problem: str) -> None:
    with pytest.raises(BadInputError, match=problem):
        Pretraining.from_settings(values)


def test_a_gap_in_a_text_is_a_mask_token_at_its_characters() -> None:
    task = Pretraining.from_settings({"pairs": "none"})
    text = "Aspirin [MASK] the [SEP] risk of [MASK]."
    (example,) = task.examples(Document("1", text))
    ((window,),) = task.encode([example], TOKENIZER)
    places = gap_places(window)
    assert (window.token_ids[places] == TOKENIZER.special("mask")).all()
    spans = [text[start:end] for start, end in window.offsets[places].tolist()]
    assert spans == ["[MASK]", "[MASK]"]
    # A `[SEP]` that somebody wrote stays ordinary characters.
    assert (window.token_ids == TOKENIZER.special("sep")).sum() == 1
    assert set(task.targets(example, [window])[0]) == {WORDS}


@pytest.mark.parametrize("concept", ["mesh:D1", "piece:", "piece:²", "7"])
def test_a_gap_filled_with_no_piece_is_named(concept: str) -> None:
    gap = Entity(2, 8, GAP, (concept,))
    task = Pretraining.from_settings({"pairs": "none"})
    (example,) = task.examples(Document("x", "a [MASK] b", entities=(gap,)))
    (windows,) = task.encode([example], TOKENIZER)
    with pytest.raises(BadInputError, match=f"'x': concept '{concept}' of a 'gap'"):
        task.targets(example, windows)


def test_heads_follow_the_pairing() -> None:
    kinds = {
        pairs: [head.name for head in Pretraining.from_settings({"pairs": pairs}).heads()]
        for pairs in ("next", "order", "none")
    }
    assert kinds == {"next": [WORDS, PAIRS], "order": [WORDS, PAIRS], "none": [WORDS]}


def test_a_pool_of_several_shards_keeps_them_apart() -> None:
    task = Pretraining.from_settings({"pairs": "none"})
    shards = [toy_shard(5, seed=1), toy_shard(5, seed=2)]
    pool: SegmentPool = task.draw(shards, length=32, generator=np.random.default_rng(1))
    total = 0
    for number in range(len(pool)):
        shard, parts = pool.parts(number)
        assert shard in shards
        total += sum(part.stop - part.start for part in parts)
    assert total == sum(len(shard.tokens) for shard in shards)
