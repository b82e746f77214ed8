"""The figures of a vocabulary are those counted by hand."""

from collections import Counter

import pytest

from biobert.text.fertility import figures, rare_words, vocabulary_report
from biobert.text.vocabulary import WordCounts, count_words, split_at_punctuation
from tests.tiny import tiny_tokenizer

TINY = tiny_tokenizer()


def test_pieces_whole_and_unknown_words_are_counted() -> None:
    words = split_at_punctuation(Counter({"Aspirin,": 6, "abc": 3, "µg": 1}))
    found = figures(TINY, words)
    # aspirin x 6 is one piece, abc x 3 is three, µg is unknown; the commas are no words.
    assert found.words == 10
    assert found.pieces_per_word == pytest.approx((6 + 9 + 1) / 10)
    assert found.pieces == 6 + 9 + 1 + 6
    assert found.whole_words == pytest.approx(0.6)
    assert found.unknown_words == pytest.approx(0.1)


def test_nothing_has_no_pieces() -> None:
    assert figures(TINY, {}).pieces_per_word == 0


def test_rare_words_are_no_accidents() -> None:
    words = {"once": 1, "thrice,": 2, "(thrice)": 1, "often": 9, "p53": 4}
    assert rare_words(words) == ["often", "thrice"]


def test_the_report_measures_held_out_documents_and_terms() -> None:
    texts = ["lithium"] * 49 + ["cancer abc"]
    report = vocabulary_report([("tiny", TINY), ("again", TINY)], count_words(texts), ["xy", "xy"])
    assert (report.documents, report.words_learnt_from) == (50, 49)
    assert report.text == "held-out documents"
    assert [one.name for one in report.vocabularies] == ["tiny", "again"]
    first = report.vocabularies[0]
    assert first.size == TINY.vocabulary_size
    assert (first.text.words, first.text.pieces) == (2, 4)
    assert (first.terms.words, first.terms.pieces) == (1, 2)
    assert [example.splits for example in report.examples] == [("x ##y", "x ##y")]


def test_without_held_out_documents_or_terms_the_report_says_so() -> None:
    counts = WordCounts(learnt=Counter({"cancer": 4, "lithium": 3}), documents=1)
    report = vocabulary_report([("tiny", TINY)], counts, [])
    assert (report.text, report.terms) == ("documents learnt from", "rare words")
    assert report.vocabularies[0].text.words == 7
    assert report.term_count == 2


def test_examples_are_spread_over_the_longer_terms() -> None:
    terms = [f"{letter}anaemia" for letter in "abcdefghijklmnopqrstuvwx"] + ["a"]
    report = vocabulary_report([("tiny", TINY)], count_words(["a"]), terms)
    shown = [example.term for example in report.examples]
    assert shown == sorted(terms)[1::2]
