"""The corpus check finds what spoils a corpus."""

from functools import partial
from pathlib import Path

import pytest

from biobert.core.document import Document, Entity, Span
from biobert.data.catalogue import load_corpus, read_split
from biobert.data.check import check_splits
from biobert.data.formats._passages import Part, joined
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.evaluation.overlap import Training, without_shared
from biobert.evaluation.spans import score_entities
from tests.cli.calling import call


def sentences(identifier: str, *texts: str, label: str = "Disease") -> Document:
    spans, text = [], ""
    for one in texts:
        spans.append(Span(len(text), len(text) + len(one)))
        text += one + "\n"
    entities = [Entity(one.start, one.start + 6, label) for one in spans]
    return Document(identifier, text, sentences=tuple(spans), entities=tuple(entities))


def test_shared_sentences_are_found_whatever_their_blanks_and_case() -> None:
    train = [sentences("1", "Cancer is old.", "Asthma too.")]
    test = [sentences("2", "Cancer  is old.", "Fevers are new.", "Cancer is Old.")]
    report = check_splits("mine", {"train": train, "test": test}, Rejects())
    assert report.shared_sentences == {"test in train": 1}
    assert report.shared_occurrences == {"test in train": 2}
    assert report.shared_examples == ["Cancer is Old."]
    # What `evaluate` counts is the same.
    training = Training(train, ("mine train",))
    found = without_shared(
        test, test, training, measure=partial(score_entities, labels=["Disease"]), unit="sentences"
    )
    assert (found.count, found.distinct) == (2, 1)


def pair(identifier: str, question: str, context: str, label: str) -> Document:
    text, passages = joined([Part("question", question), Part("context", context)])
    return Document(identifier, text, passages=passages, labels=(label,))


def test_shared_texts_are_counted_whole_and_by_the_half_of_a_pair() -> None:
    train = [pair("1", "Does it help?", "It did.", "yes"), pair("2", "Is it so?", "No.", "no")]
    test = [
        pair("3", "Does it help?", "It did not.", "no"),
        pair("4", "Is it so?", "No.", "no"),
        pair("5", "Is  it\nso?", "No.", "yes"),
        pair("6", "Why?", "No one asked.", "maybe"),
    ]
    report = check_splits("mine", {"train": train, "devel": [], "test": test}, Rejects())
    assert report.shared_texts["test in train"] == 1
    assert report.shared_texts["test in any other"] == 1
    assert report.shared_passages["question"]["test in train"] == 2
    assert report.shared_passages["context"]["test in train"] == 1
    assert report.splits["test"].labels == {"maybe": 1, "no": 2, "yes": 1}


def test_sections_of_a_kind_are_compared_as_one_text() -> None:
    sections = [Part("abstract", "We asked.", "METHODS"), Part("abstract", "It did.", "RESULTS")]
    whole, passages = joined(sections)
    train = [Document("1", whole, passages=passages)]
    half, passages = joined(sections[:1])
    report = check_splits(
        "mine", {"train": train, "test": [Document("2", half, passages=passages)]}, Rejects()
    )
    assert report.shared_passages == {}
    assert report.shared_sentences == {"test in train": 1}


def test_duplicates_and_mixed_labels_are_named() -> None:
    first, again = sentences("1", "Cancer."), sentences("9", "Cancer.")
    other = sentences("3", "Cancer again.", label="Anatomy")
    report = check_splits("mine", {"train": [first, again, other]}, Rejects())
    assert report.duplicate_documents == ["train:1 = train:9"]
    (mixed,) = report.inconsistent_labels
    assert (mixed.mention, mixed.labels) == ("Cancer", {"Disease": 2, "Anatomy": 1})
    assert report.splits["train"].mentions == {"Anatomy": 1, "Disease": 2}


def test_an_identifier_of_two_texts_is_named_whatever_others_hold() -> None:
    train = [Document("1", "one"), Document("10", "same"), Document("11", "same")]
    report = check_splits("mine", {"train": train, "test": [Document("1", "two")]}, Rejects())
    assert report.duplicate_documents == ["train:10 = train:11"]
    assert report.repeated_identifiers == ["1"]


def test_documents_without_identifiers_are_no_duplicates(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"text": "She coughs."}\n')
    (tmp_path / "test.jsonl").write_text('{"text": "He is ill."}\n')
    shown = call("data", "check", tmp_path).out
    assert "duplicate documents: 0" in shown
    assert "identifiers of several texts: 1, such as 1" in shown


def test_a_folder_is_checked_from_the_command_line(tmp_path: Path) -> None:
    rows = "Cancer\tB-Disease\nis\tO\n\n"
    (tmp_path / "train.tsv").write_text(rows + "broken line without a tag\n\n" + rows)
    (tmp_path / "test.tsv").write_text(rows)
    found = call("data", "check", tmp_path, "--report", tmp_path / "report.json", "--json")
    assert found.code == 0, found.err
    data = found.json["data"]
    assert data["malformed"] == 1
    assert data["shared_sentences"] == {"test in train": 1}
    assert data["splits"]["train"]["mentions"] == {"Disease": 2}
    assert (tmp_path / "report.json").is_file()
    shown = call("data", "check", tmp_path).out
    assert "shared sentences, test in train: 1 distinct, 1 in all" in shown


def test_a_corpus_is_shown_with_the_places_of_its_files() -> None:
    shown = " ".join(call("data", "show", "BioRED").out.split())
    assert "$BIOBERT_DATA/relations/BioRED/Train.PubTator (train)" in shown
    assert "{" not in shown


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "sentences", "set_aside"),
    [
        ("HoC", 5, 0),
        ("PubMedQA", 7, 0),
        ("evidence-inference", 2, 421),
        pytest.param("evidence-inference-abstracts", 7, 563, marks=pytest.mark.slow),
    ],
)
def test_texts_of_classification_have_one_split_each(
    corpora: Path, name: str, sentences: int, set_aside: int
) -> None:
    found = call("data", "check", name, "--json")
    data = found.json["data"]
    assert set(data["splits"]) == {"train", "devel", "test"}
    assert data["malformed"] == set_aside
    assert data["shared_sentences"]["test in any other"] == sentences
    assert set(data["shared_texts"].values()) == {0}
    assert data["shared_passages"] == {}
    assert data["duplicate_documents"] == []


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "distinct", "occurrences"),
    [
        ("NCBI-disease", 2, 2),
        ("BC5CDR", 11, 19),
        ("BC2GM", 40, 60),
        ("AnatEM", 46, 108),
        ("linnaeus", 157, 594),
    ],
)
def test_known_leaks_of_real_corpora_are_found(
    corpora: Path, name: str, distinct: int, occurrences: int
) -> None:
    splits = {
        split: read_split(name, split, CorpusPlaces(corpora, corpora))
        for split in load_corpus(name).splits
    }
    report = check_splits(name, splits, Rejects())
    assert report.shared_sentences["test in any other"] == distinct
    assert report.shared_occurrences["test in any other"] == occurrences
