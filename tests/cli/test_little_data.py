"""`biobert label suggest` and `biobert data augment`, from files to files."""

import json
from pathlib import Path

import pytest

from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects
from biobert.tasks.ner import NamedEntityRecognition
from tests.cli.calling import call
from tests.tiny import write_tiny_encoder_folder

MENTIONS = {"lithium", "cardiac arrest", "aspirin", "breast cancer", "diabetes"}

TEXT = (
    "Lithium carbonate caused nephrogenic diabetes insipidus. Nobody died. Rest and aspirin help."
)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text(TEXT)
    return tmp_path / "texts"


def test_suggestions_are_ready_for_prodigy_and_brat(texts: Path, tmp_path: Path) -> None:
    file = tmp_path / "next.prodigy.jsonl"
    found = call(
        "label", "suggest", texts, "-o", file, "--count", 2, "--by", "uncertainty", "--json"
    )
    assert found.code == 0, found.err
    assert found.json["data"]["suggested"] == 2
    assert found.json["data"]["considered"] == 3
    tasks = [json.loads(line) for line in file.read_text().splitlines()]
    assert all(0 < float(one["meta"]["certainty"]) <= 1 for one in tasks)
    spans = [one["text"][s["start"] : s["end"]] for one in tasks for s in one["spans"]]
    assert spans
    folder = tmp_path / "brat"
    assert call("label", "suggest", texts, "-o", folder, "--count", 2, "--to", "brat").code == 0
    read = list(read_documents(folder, "brat", Rejects()))
    assert len(read) == 2
    assert all(one.text in TEXT for one in read)


def test_what_is_labelled_is_left_out(texts: Path, tmp_path: Path) -> None:
    file = tmp_path / "next.jsonl"
    known = ["--labelled", texts / "a.txt"]
    found = call("label", "suggest", texts, "-o", file, *known, "--json")
    assert found.code == 0, found.err
    assert found.json["data"]["considered"] == 0
    assert file.read_text() == ""


@pytest.mark.parametrize(
    ("arguments", "word"), [(["--by", "chance"], "diversity"), (["--count", "0"], "at least 1")]
)
def test_wrong_calls_name_the_cure(texts: Path, arguments: list[str], word: str) -> None:
    found = call("label", "suggest", texts, "-o", "-", "--to", "jsonl", *arguments, "--json")
    assert found.code != 0
    assert word in found.json["error"]["message"]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    documents = NamedEntityRecognition.toy_documents()
    write_documents(documents, tmp_path / "train.jsonl")
    return tmp_path / "train.jsonl"


def test_a_corpus_is_augmented_without_a_model(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "doid.obo").write_text("[Term]\nname: gout\n")
    (tmp_path / "words.tsv").write_text("common\tfrequent\n")
    found = call(
        *("data", "augment", corpus, "-o", tmp_path / "more.jsonl", "--copies", 2, "--json"),
        *("--mention-rate", 1, "--ontology", f"Disease={tmp_path / 'doid.obo'}"),
        *("--synonyms", tmp_path / "words.tsv", "--synonym-rate", 1),
    )
    assert found.code == 0, found.err
    # Chemicals come from the corpus: each of the two becomes the other, in every copy.
    assert found.json["data"]["copies"] == 2
    first, second = read_documents(tmp_path / "more.jsonl", "jsonl", Rejects())
    assert first.text == "Aspirin caused gout. Lithium did not."
    assert second.text == "gout and gout are frequent."
    assert [second.mention(one) for one in second.entities] == ["gout", "gout"]
    assert second.annotated_labels == ("Disease",)


def test_a_corpus_is_augmented_by_a_language_model(corpus: Path, tmp_path: Path) -> None:
    model = write_tiny_encoder_folder(tmp_path / "bert", kind="BertForMaskedLM")
    found = call(
        *("data", "augment", corpus, "-o", tmp_path / "more.jsonl", "--mention-rate", 0),
        *("--language-model", model, "--filled-rate", 1),
    )
    assert found.code == 0, found.err
    for one in read_documents(tmp_path / "more.jsonl", "jsonl", Rejects()):
        assert one.id.endswith("-augmented-1")
        assert {one.mention(each).lower() for each in one.entities} <= MENTIONS


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--ontology", "doid.obo"], "LABEL=FILE"),
        (["--mention-rate", "0"], "nothing to do"),
        (["--lexicon", "nowhere.tsv"], "nowhere.tsv"),
        (["--translated-rate", "0.5", "--translator", "one"], "two translators"),
    ],
)
def test_wrong_augmentations_name_the_cure(
    corpus: Path, tmp_path: Path, arguments: list[str], word: str
) -> None:
    found = call("data", "augment", corpus, "-o", tmp_path / "more.jsonl", *arguments, "--json")
    assert found.code != 0
    assert word in found.json["error"]["message"]
