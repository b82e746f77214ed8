"""Test splits stay out of what is learnt from: whole documents, and single sentences."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Document, Span
from biobert.data.catalogue import corpus_names, load_corpus, read_split
from biobert.data.contamination import (
    TestSplits,
    catalogued_test_splits,
    sentence_mark,
    without_sentences,
)
from biobert.data.formats.pubmedqa import official_splits
from biobert.data.places import CorpusPlaces
from biobert.text.sentences import sentences_of
from tests.data.articles import prose


def document(text: str, identifier: str = "x", **metadata: str) -> Document:
    found = Document(identifier, text, metadata=metadata)
    spans = tuple(sentences_of(found))
    return Document(identifier, text, sentences=spans, metadata=metadata)


def splits(*documents: Document) -> TestSplits:
    found = TestSplits()
    found.add("toy", documents)
    return found


def verdict(found: TestSplits, one: Document) -> str | None:
    return found.corpus_of(one, found.shared_sentences(one))


def test_marks_are_blind_to_case_blanks_and_punctuation() -> None:
    spaced = "The serum ( 14 % ) of Lithium was given to the mouse , and again to the other mouse ."
    tight = "the serum (14%) of lithium was given to the mouse, and again to the other mouse."
    assert sentence_mark(spaced) == sentence_mark(tight) is not None
    assert sentence_mark(tight) != sentence_mark(tight.replace("14", "15"))
    assert sentence_mark("Patients gave informed consent.") is None


def test_two_sentences_mark_a_document_and_one_does_not() -> None:
    test = document(prose(1, 6))
    found = splits(test)
    first, second = (test.text[one.start : one.end] for one in test.sentences[:2])
    one = document(f"{prose(2)} {first} {prose(3)}")
    assert verdict(found, one) is None
    assert found.shared_sentences(one) == {4: "toy"}
    assert verdict(found, document(f"{prose(2)} {first} {prose(3)} {second.upper()}")) == "toy"
    assert verdict(found, document(prose(4, 9))) is None


NOISE = st.lists(st.sampled_from(" ,.-()[]«»±é*_\t'"), max_size=3).map("".join)


@given(noises=st.lists(NOISE, min_size=1, max_size=12), upper=st.booleans())
def test_signs_and_case_hide_no_sentence(noises: list[str], upper: bool) -> None:
    """The first look at a sentence must never pass over one that would be found."""
    words = prose(1, 1).split()
    noisy = "".join(
        f"{word}{noises[place % len(noises)]} " for place, word in enumerate(["", *words])
    )
    noisy = (noisy.upper() if upper else noisy).strip()
    own = Document("x", noisy, sentences=(Span(0, len(noisy)),))
    expected = {0: "toy"} if sentence_mark(noisy) == sentence_mark(prose(1, 1)) else {}
    assert splits(document(prose(1, 1))).shared_sentences(own) == expected
    assert expected or "é" in noisy.lower()


def test_a_sentence_is_taken_out_and_the_text_stays() -> None:
    whole = document(prose(1, 3))
    rest = without_sentences(whole, [1])
    assert rest.sentences == (whole.sentences[0], whole.sentences[2])
    assert rest.text == whole.text
    assert without_sentences(whole, []) is whole


@pytest.mark.parametrize(
    ("metadata", "identifier"),
    [
        ({"pmid": "1234567"}, "x"),
        ({"pmc": "PMC90001"}, "x"),
        ({"pmcid": "90001"}, "x"),
        ({"doi": "10.1/ABC"}, "x"),
        ({}, "1234567"),
    ],
)
def test_identifiers_tell_a_document_whose_text_differs(
    metadata: dict[str, str], identifier: str
) -> None:
    found = splits(
        document(prose(1), "1234567", pmc="90001", doi="10.1/abc"),
    )
    assert verdict(found, document(prose(2), identifier, **metadata)) == "toy"
    assert verdict(found, document(prose(2), "7654321", pmid="1")) is None


def test_a_list_of_articles_is_read_whatever_surrounds_the_numbers(tmp_path: Path) -> None:
    path = tmp_path / "test.json"
    path.write_text('{"12377809": "yes", "90001": "no", "7": "maybe"}')
    found = TestSplits()
    found.add_identifiers("toy", path)
    assert verdict(found, document(prose(1), "12377809")) == "toy"
    assert verdict(found, document(prose(1), pmc="90001")) == "toy"
    assert verdict(found, document(prose(1), pmc="7")) is None


def test_the_checksum_tells_other_test_splits() -> None:
    assert splits(document(prose(1))).checksum() == splits(document(prose(1))).checksum()
    assert splits(document(prose(1))).checksum() != splits(document(prose(2))).checksum()


def test_only_what_is_at_hand_is_excluded_and_the_rest_is_named(tmp_path: Path) -> None:
    path = tmp_path / load_corpus("BC5CDR").splits["test"].path
    path.parent.mkdir(parents=True)
    words = "".join(f"{word}\tO\n" for word in prose(1, 1).split())
    path.write_text(f"{words}\n")
    found = catalogued_test_splits(CorpusPlaces(tmp_path / "none", tmp_path))
    assert set(found.sentences.values()) == {"BC5CDR"}
    assert "BC5CDR" not in found.absent
    assert {"NCBI-disease", "PubMedQA", "evidence-inference", "BioASQ"} <= set(found.absent)
    assert not {"PMC-OA-articles", "PubMed", "Hetionet"} & set(found.absent)
    assert not (tmp_path / "none").exists()  # nothing was fetched
    assert catalogued_test_splits(CorpusPlaces(tmp_path, tmp_path), workers=2) == found


def test_articles_and_texts_of_a_part_of_a_file_are_both_remembered(tmp_path: Path) -> None:
    row = load_corpus("PubMedQA")
    questions = {
        f"{1000000 + number}": {
            "QUESTION": f"Does it help the {number}th of them, and all the others too, or not?",
            "CONTEXTS": [prose(number, 2)],
            "LABELS": ["RESULTS"],
            "final_decision": ("yes", "no")[number % 2],
        }
        for number in range(40)
    }
    answers = {number: one["final_decision"] for number, one in questions.items()}
    test = {number for number, split in official_splits(answers).items() if split == "test"}
    for file, content in (
        (row.splits["test"], questions),
        (row.files["test-answers"], {number: answers[number] for number in test}),
    ):
        path = tmp_path / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    found = catalogued_test_splits(CorpusPlaces(tmp_path, tmp_path))
    assert "PubMedQA" not in found.absent
    for place, number in enumerate(questions):
        expected = "PubMedQA" if number in test else None
        assert verdict(found, document(prose(place, 2))) == expected
        assert verdict(found, document(prose(900), number)) == expected
    # The list alone still tells the articles.
    (tmp_path / row.splits["test"].path).unlink()
    listed = catalogued_test_splits(CorpusPlaces(tmp_path, tmp_path))
    assert set(listed.identifiers) >= {f"pmid:{number}" for number in test}
    assert not listed.sentences


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    [
        "HoC",
        "PubMedQA",
        "evidence-inference",
        pytest.param("evidence-inference-abstracts", marks=pytest.mark.slow),
    ],
)
def test_labelled_texts_of_test_splits_are_found_and_others_spared(
    corpora: Path, all_tests: TestSplits, name: str
) -> None:
    places = CorpusPlaces(corpora, corpora)
    for one in read_split(name, "test", places):
        assert verdict(all_tests, one) is not None
    train = [_sentenced(one) for one in read_split(name, "train", places)]
    sentences = sum(len(one.sentences) for one in train)
    assert sum(len(all_tests.shared_sentences(one)) for one in train) < 0.005 * sentences
    own = [one for one in train if verdict(all_tests, one) == name]
    assert not own


def _sentenced(one: Document) -> Document:
    return replace(one, sentences=tuple(sentences_of(one)))


@pytest.fixture(scope="module")
def all_tests(corpora: Path) -> TestSplits:
    return catalogued_test_splits(CorpusPlaces(corpora, corpora))


@pytest.mark.data
def test_test_splits_of_the_catalogue_find_themselves_and_spare_the_training_data(
    corpora: Path, all_tests: TestSplits
) -> None:
    found = all_tests
    places = CorpusPlaces(corpora, corpora)
    for name in ("NCBI-disease", "BC5CDR", "BC2GM"):
        assert name in corpus_names()
        for one in read_split(name, "test", places):
            assert verdict(found, one) is not None
        train = read_split(name, "train", places)
        sentences = sum(len(one.sentences) for one in train)
        assert sum(len(found.shared_sentences(one)) for one in train) < 0.005 * sentences


def test_spans_of_a_document_are_looked_up_in_the_original_text() -> None:
    text = prose(1, 1) + "\n" + prose(2, 1)
    middle = len(prose(1, 1))
    own = Document("x", text, sentences=(Span(0, middle), Span(middle + 1, len(text))))
    assert set(splits(own).shared_sentences(own)) == {0, 1}
