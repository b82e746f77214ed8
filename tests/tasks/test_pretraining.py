"""The pretraining objective: segments, pairs and hidden words, by their statistics."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.core.task import IGNORED
from biobert.data.shards import TokenShard
from biobert.tasks._masking import (
    LONGEST_SPAN,
    MaskingSettings,
    MaskingVocabulary,
    choose,
    hide,
)
from biobert.tasks._segments import DIFFERS, FOLLOWS, Segments, segment_rows
from biobert.tasks.pretraining import (
    GAP,
    PAIRS,
    WORDS,
    MaskedRows,
    Pretraining,
    SegmentPool,
    gap_places,
    masking_vocabulary,
)
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
VOCABULARY = masking_vocabulary(TOKENIZER, ("", "NN", "DT"))
SPECIAL = TOKENIZER.special_ids()


def toy_shard(
    documents: int = 300, *, seed: int = 1, longest_sentence: int = 60, tagged: bool = False
) -> TokenShard:
    """Random pieces; document and sentence lengths vary."""
    generator = np.random.default_rng(seed)
    sentences = generator.integers(1, 25, size=documents)
    lengths = generator.integers(1, longest_sentence + 1, size=int(sentences.sum()))
    tokens = generator.choice(VOCABULARY.drawable, size=int(lengths.sum())).astype(np.uint16)
    tags = generator.integers(0, 3, size=len(tokens)).astype(np.uint8) if tagged else None
    return TokenShard(tokens, np.cumsum(lengths), np.cumsum(sentences), tags)


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


def masked(task: Pretraining, shard: TokenShard, *, packed: int = 1, seed: int = 1) -> MaskedRows:
    generator = np.random.default_rng(seed)
    pool = task.draw([shard], length=64, generator=generator)
    numbers = np.arange(len(pool) // packed * packed).reshape(-1, packed)
    return task.masked(pool, list(numbers), VOCABULARY, generator)


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


@pytest.mark.parametrize("unit", ["word", "piece", "span"])
@pytest.mark.parametrize("rate", [0.15, 0.4])
def test_the_rate_of_hidden_positions(unit: str, rate: float) -> None:
    task = Pretraining.from_settings({"masking": {"rate": rate, "unit": unit}})
    rows = masked(task, toy_shard(900))
    inside = ~np.isin(rows.token_ids, [TOKENIZER.special(one) for one in ("pad", "cls", "sep")])
    assert len(rows.places) / inside.sum() == pytest.approx(rate, abs=0.012)


def test_spans_end_with_their_segment() -> None:
    rows, width, rate = 4000, 9, 0.15
    free = np.ones((rows, width), dtype=bool)
    free[:, [0, 4, 8]] = False
    ids = np.full(free.shape, VOCABULARY.drawable[0])
    settings = MaskingSettings(unit="span", rate=rate)
    chosen = choose(ids, free, VOCABULARY, settings, np.random.default_rng(1))
    assert chosen[:, [1, 3, 5, 7]].mean(axis=0) == pytest.approx([rate] * 4, abs=0.02)
    assert chosen[chosen[:, 2], 3].mean() > 0.6
    across = [(chosen[:, 3], chosen[:, 5]), (chosen[:-1, 7], chosen[1:, 1])]
    for last, first in across:
        assert first[last].mean() == pytest.approx(rate, abs=0.05)


def test_spans_have_the_lengths_of_spanbert_and_are_each_shown_in_one_way() -> None:
    rows, width = 400, 500
    ids = np.full((rows, width), VOCABULARY.drawable[0])
    # A rate so low that hardly any two spans meet.
    settings = MaskingSettings(unit="span", rate=0.01)
    free = np.ones(ids.shape, dtype=bool)
    chosen = choose(ids, free, VOCABULARY, settings, np.random.default_rng(2))
    seen = hide(ids, chosen, VOCABULARY, settings, np.random.default_rng(3))
    borders = np.diff(np.pad(chosen, ((0, 0), (1, 1))).astype(int), axis=1)
    begins, ends = np.argwhere(borders == 1), np.argwhere(borders == -1)
    lengths = (ends - begins)[:, 1]
    assert lengths.mean() == pytest.approx(3.8, abs=0.2)
    assert (lengths == LONGEST_SPAN).mean() == pytest.approx(0.03, abs=0.015)
    is_mask = seen == VOCABULARY.mask_id
    shares = [
        is_mask[row, begin:end].mean()
        for (row, begin), (_, end) in zip(begins.tolist(), ends.tolist(), strict=True)
    ]
    assert set(shares) == {0.0, 1.0}
    assert np.mean(shares) == pytest.approx(0.8, abs=0.03)
    assert (seen == ids)[chosen].mean() == pytest.approx(0.1, abs=0.03)


def test_eighty_ten_ten_and_never_a_special_token() -> None:
    rows = masked(Pretraining.from_settings({}), toy_shard(1500))
    shown = rows.token_ids.ravel()[rows.places]
    assert not np.isin(rows.words, SPECIAL).any()
    assert (shown == TOKENIZER.special("mask")).mean() == pytest.approx(0.8, abs=0.01)
    # A random piece is the true one by chance now and then.
    chance = 0.1 / len(VOCABULARY.drawable)
    assert (shown == rows.words).mean() == pytest.approx(0.1 + chance, abs=0.01)
    assert not np.isin(shown, [one for one in SPECIAL if one != TOKENIZER.special("mask")]).any()


def test_an_unknown_piece_is_no_answer_to_learn() -> None:
    shard = toy_shard(300)
    shard.tokens[::7] = TOKENIZER.special("unk")
    rows = masked(Pretraining.from_settings({"masking": {"random": 0.5}}), shard)
    assert not np.isin(rows.words, SPECIAL).any()
    assert (rows.token_ids == TOKENIZER.special("unk")).sum() > 100


def test_pairs_of_one_document_are_refused() -> None:
    shard = toy_shard(1, longest_sentence=20, seed=3)
    for pairs in ("order", "none"):
        assert len(masked(Pretraining.from_settings({"pairs": pairs}), shard).token_ids)
    with pytest.raises(BadInputError, match=r"more documents, or set task\.pairs"):
        masked(Pretraining.from_settings({}), shard)


def test_what_is_not_chosen_stays_as_it_was() -> None:
    task = Pretraining.from_settings({})
    shard = toy_shard(50)
    generator = np.random.default_rng(1)
    pool = task.draw([shard], length=64, generator=generator)
    rows = task.masked(pool, [np.array([number]) for number in range(20)], VOCABULARY, generator)
    restored = rows.token_ids.ravel().copy()
    restored[rows.places] = rows.words
    restored = restored.reshape(rows.token_ids.shape)
    for number in range(20):
        _, parts = pool.parts(number)
        wanted = [TOKENIZER.special("cls")]
        for part in parts:
            wanted += [*shard.tokens[part].tolist(), TOKENIZER.special("sep")]
        assert restored[number, : len(wanted)].tolist() == wanted
        assert (restored[number, len(wanted) :] == TOKENIZER.special("pad")).all()


def test_whole_words_are_hidden_together() -> None:
    words = [["card", "##iac"], ["arrest"], ["a", "##s", "##p"]] * 200
    flat = [piece for word in words for piece in word]
    names = sorted(set(flat))
    ids = np.array([[names.index(piece) + 5 for piece in flat]])
    continues = np.array([False] * 5 + [name.startswith("##") for name in names])
    special = np.arange(len(continues)) < 5
    vocabulary = MaskingVocabulary(continues, special, 4, VOCABULARY.borders)
    free = np.ones(ids.shape, dtype=bool)
    chosen = choose(ids, free, vocabulary, MaskingSettings(rate=0.3), np.random.default_rng(1))
    position = 0
    for word in words:
        here = chosen[0, position : position + len(word)]
        assert here.all() or not here.any()
        position += len(word)
    assert chosen.mean() == pytest.approx(0.3, abs=0.05)


def test_masking_is_fresh_for_every_draw_and_equal_for_equal_seeds() -> None:
    task, shard = Pretraining.from_settings({}), toy_shard(50)
    one, again, other = (masked(task, shard, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.places, again.places)
    assert np.array_equal(one.token_ids, again.token_ids)
    assert not np.array_equal(one.places[:50], other.places[:50])


def test_weighted_tags_are_hidden_more_often_at_the_same_rate() -> None:
    task = Pretraining.from_settings(
        {"pairs": "none", "masking": {"unit": "piece", "weights": {"NN": 3.0, "DT": 0.0}}}
    )
    shard = toy_shard(900, tagged=True)
    generator = np.random.default_rng(1)
    pool = task.draw([shard], length=64, generator=generator)
    counts: Counter[str] = Counter()
    for number in range(len(pool)):
        rows = task.masked(pool, [np.array([number])], VOCABULARY, generator)
        _, (part,) = pool.parts(number)
        assert shard.tags is not None
        tags = shard.tags[part]
        for place in rows.places:
            counts[VOCABULARY.tags[tags[place - 1]]] += 1
        counts["all"] += len(tags)
    hidden = counts["NN"] + counts["DT"] + counts[""]
    assert counts["DT"] == 0
    assert counts["NN"] / counts[""] == pytest.approx(3.0, rel=0.1)
    assert hidden / counts["all"] == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize("weight", [4.0, 50.0, 1e6])
def test_the_rate_stays_where_heavy_words_are_all_hidden(weight: float) -> None:
    generator = np.random.default_rng(1)
    free = np.ones((400, 50), dtype=bool)
    ids = generator.choice(VOCABULARY.drawable, size=free.shape)
    chances = np.where(generator.random(free.shape) < 0.05, weight, 1.0)
    settings = MaskingSettings(unit="piece")
    chosen = choose(ids, free, VOCABULARY, settings, generator, chances)
    assert chosen.mean() == pytest.approx(0.15, abs=0.01)
    assert chosen[chances > 1].mean() > 0.4


def test_a_weight_for_a_tag_that_the_corpus_lacks_is_refused() -> None:
    task = Pretraining.from_settings({"masking": {"weights": {"NNP": 2.0}}})
    with pytest.raises(BadInputError, match=r"no tag 'NNP' \(it has NN, DT\)"):
        masked(task, toy_shard(20, tagged=True))


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


def test_hide_keeps_shapes_of_empty_choices() -> None:
    ids = np.full((2, 3), 7)
    nothing = np.zeros(ids.shape, dtype=bool)
    shown = hide(ids, nothing, VOCABULARY, MaskingSettings(), np.random.default_rng(1))
    assert np.array_equal(shown, ids)


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
