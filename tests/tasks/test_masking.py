"""Which words pretraining hides, and behind what: by their statistics."""

from collections import Counter

import numpy as np
import pytest

from biobert.core.errors import BadInputError
from biobert.tasks._masking import (
    LONGEST_SPAN,
    MaskingSettings,
    MaskingVocabulary,
    choose,
    hide,
)
from biobert.tasks.pretraining import Pretraining
from tests.tasks.pretraining_cases import SPECIAL, TOKENIZER, VOCABULARY, masked, toy_shard


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


def test_hide_keeps_shapes_of_empty_choices() -> None:
    ids = np.full((2, 3), 7)
    nothing = np.zeros(ids.shape, dtype=bool)
    shown = hide(ids, nothing, VOCABULARY, MaskingSettings(), np.random.default_rng(1))
    assert np.array_equal(shown, ids)
