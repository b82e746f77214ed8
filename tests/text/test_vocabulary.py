"""A vocabulary is learnt alike in every run, and transformers reads it alike."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.trainers import WordPieceTrainer

from biobert.core.errors import BadInputError
from biobert.text.tokenizer import Tokenizer
from biobert.text.vocabulary import (
    Case,
    VocabularySettings,
    count_words,
    save_vocabulary,
    split_at_punctuation,
    train_vocabulary,
)

TEXT = """Lithium-induced cardiac arrest: naïve α-synuclein aggregates in Parkinson's disease.
Cardiac arrest after lithium is rare; cardiac arrhythmia (n = 13) is not. Synuclein and disease."""
WORDS = Counter(TEXT.split())


def pieces_of(tokenizer: Tokenizer) -> list[str]:
    """The pieces in the order of their ids."""
    ids = tokenizer.backend.get_vocab()
    return sorted(ids, key=ids.__getitem__)


def split(tokenizer: Tokenizer, text: str) -> list[str]:
    return tokenizer.backend.encode(text, add_special_tokens=False).tokens


def small(size: int = 175, case: Case = "uncased") -> Tokenizer:
    return train_vocabulary(WORDS, VocabularySettings(size=size, case=case, minimum_count=1))


def test_special_tokens_come_first_and_padding_is_zero() -> None:
    assert pieces_of(small())[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert small().special("pad") == 0


def test_every_run_gives_the_same_ids() -> None:
    """The library's own trainer does not: on a text full of ties, each run differs."""
    assert len({tuple(pieces_of(small())) for _ in range(8)}) == 1


def test_the_order_of_the_words_does_not_matter() -> None:
    backwards = dict(reversed(WORDS.items()))
    again = train_vocabulary(backwards, VocabularySettings(size=175, minimum_count=1))
    assert pieces_of(again) == pieces_of(small())


def test_frequent_words_become_whole_as_with_the_librarys_trainer() -> None:
    words = Counter({"lithium": 41, "lithiums": 21, "cardiac": 31, "card": 7, "iac": 5})
    theirs = Backend(WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    theirs.normalizer, theirs.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    trainer = WordPieceTrainer(vocab_size=1000, min_frequency=2, show_progress=False)
    theirs.train_from_iterator(list(words.elements()), trainer)
    whole = set(words)
    assert whole <= set(theirs.get_vocab())
    assert whole <= set(pieces_of(train_vocabulary(words, VocabularySettings())))


@pytest.mark.parametrize("size", [111, 140, 175])
def test_the_size_is_what_was_asked_for(size: int) -> None:
    assert small(size).vocabulary_size == size


def test_a_small_text_gives_what_it_has() -> None:
    assert small(100_000).vocabulary_size < 400


def test_a_size_below_the_characters_names_the_smallest() -> None:
    with pytest.raises(BadInputError, match="needs 110") as found:
        small(109)
    assert "--size" in str(found.value)
    assert small(110).vocabulary_size == 110


@pytest.mark.parametrize("words", [{}, {" \u0301": 3}])
def test_no_text_is_an_error(words: dict[str, int]) -> None:
    with pytest.raises(BadInputError, match="no text"):
        train_vocabulary(words, VocabularySettings())


def test_uncased_folds_case_and_accents_and_cased_does_not() -> None:
    assert split(small(), "NAÏVE Naive") == split(small(), "naive naïve")
    assert split(small(case="cased"), "NAÏVE") != split(small(case="cased"), "naive")


@pytest.mark.parametrize("case", ["uncased", "cased"])
def test_printable_ascii_is_always_known(case: Case) -> None:
    tokenizer = train_vocabulary({"a": 1}, VocabularySettings(case=case))
    text = "Zq9 ~^`{}|<>@#$ ATGC0123456789xyz"
    assert "[UNK]" not in split(tokenizer, text)


def test_the_most_frequent_other_characters_are_kept() -> None:
    words = {"α": 5, "β": 2, "γ": 4, "βeta": 1}
    tokenizer = train_vocabulary(words, VocabularySettings(characters=2))
    assert split(tokenizer, "α β γ") == ["α", "[UNK]", "γ"]


def test_every_fiftieth_document_is_held_out() -> None:
    counts = count_words(f"word{number} word" for number in range(1, 121))
    assert counts.documents == 120
    assert counts.held_out == Counter({"word": 2, "word50": 1, "word100": 1})
    assert counts.learnt.total() == 2 * 118


def test_memory_is_bounded_and_frequent_words_stay() -> None:
    texts = (f"heart rare{number} rarer{number}" for number in range(1000))
    counts = count_words(texts, memory=100)
    assert len(counts.learnt) + len(counts.held_out) <= 100
    assert counts.learnt["heart"] == 980


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=80))
def test_counted_words_are_those_that_bert_sees(text: str) -> None:
    normalizer = BertNormalizer(lowercase=True)
    whole = BertPreTokenizer().pre_tokenize_str(normalizer.normalize_str(text))
    counted = split_at_punctuation(Counter(text.split()), normalizer.normalize_str)
    assert counted == Counter(part for part, _ in whole)


@pytest.mark.parametrize("case", ["uncased", "cased"])
def test_transformers_opens_the_folder_with_the_same_ids(case: Case, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = small(case=case)
    save_vocabulary(tokenizer, tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    text = "Naïve α-Synuclein (LITHIUM), 2×; unknown: \u4e2d."
    cls, sep = tokenizer.special("cls"), tokenizer.special("sep")
    (pieces,) = tokenizer.pieces([text])
    assert theirs(text)["input_ids"] == [cls, *pieces.ids.tolist(), sep]
    assert theirs("a", "b")["token_type_ids"] == [0, 0, 0, 1, 1]
    assert (theirs.pad_token_id, theirs.mask_token_id) == (0, tokenizer.special("mask"))


@pytest.mark.parametrize("case", ["uncased", "cased"])
def test_the_vocabulary_file_alone_reads_the_same(case: Case, tmp_path: Path) -> None:
    tokenizer = small(case=case)
    save_vocabulary(tokenizer, tmp_path)
    whole = Tokenizer.from_folder(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    alone = Tokenizer.from_folder(tmp_path)
    for other in (whole, alone):
        assert pieces_of(other) == pieces_of(tokenizer)
        assert split(other, TEXT) == split(tokenizer, TEXT)
