"""`biobert compare`, end to end on toy documents."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from biobert.core.document import Document
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects
from biobert.tasks.ner import NamedEntityRecognition
from biobert.tasks.relations import RelationExtraction
from tests.cli.calling import call
from tests.tiny import write_tiny_model_folder


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "toy.jsonl"
    write_documents(NamedEntityRecognition.toy_documents() * 4, path, "jsonl")
    return path


def test_two_systems_are_compared_on_one_test_set(corpus: Path, tmp_path: Path) -> None:
    model = write_tiny_model_folder(tmp_path / "model")
    same = call("compare", model, model, corpus, "--samples", 50, "--json").json["data"]
    assert same["difference"] == 0
    assert same["p"] == 1.0
    gold = list(read_documents(corpus, None, Rejects()))
    empty = [document.with_entities(()) for document in gold]
    write_documents(empty, tmp_path / "empty.jsonl", "jsonl")
    found = call("compare", tmp_path / "empty.jsonl", "embedded", corpus, "--json").json["data"]
    assert found["first_score"] == 0
    assert found["difference"] == found["second_score"] > 0.5
    assert found["p"] < 0.01
    assert found["not_better"] == 0
    assert found["interval"]["low"] > 0


def test_models_are_compared_on_what_both_know(corpus: Path, tmp_path: Path) -> None:
    both = write_tiny_model_folder(tmp_path / "both")
    one = write_tiny_model_folder(tmp_path / "one", labels=("Gene", "Disease"))
    found = call("compare", both, one, corpus, "--samples", 50, "--json").json["data"]
    back = call("compare", one, both, corpus, "--samples", 50, "--json").json["data"]
    assert found["labels"] == back["labels"] == ["Disease"]
    assert found["difference"] == -back["difference"]
    chemical = write_tiny_model_folder(tmp_path / "chemical", labels=("Chemical",))
    refused = call("compare", one, chemical, corpus)
    assert "the first model finds Disease, the second Chemical: none in common" in refused.err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"labels": ["yes", "no", "maybe"]}, "labels (no, yes and maybe, no, yes)"),
        ({"labels": ["no", "yes"], "measure": "macro"}, "measure (micro and macro)"),
        ({"labels": ["no", "yes"], "choice": "many"}, "choice (one and many)"),
    ],
)
def test_models_that_are_scored_otherwise_are_refused_in_either_order(
    settings: dict[str, Any], words: str, tmp_path: Path
) -> None:
    corpus = tmp_path / "test.jsonl"
    documents = [Document(str(number), "Rest helped.", labels=("yes",)) for number in range(4)]
    write_documents(documents, corpus, "jsonl")
    known = {"labels": ["yes", "no"]}
    one, other, same = (
        write_tiny_model_folder(tmp_path / name, task="classification", others=some)
        for name, some in (("one", known), ("other", settings), ("same", {"labels": ["no", "yes"]}))
    )
    assert words in call("compare", one, other, corpus).err.replace("\n", " ")
    assert "differ in" in call("compare", other, one, corpus).err
    assert call("compare", one, same, corpus, "--samples", 5).code == 0


def test_labels_that_the_model_does_not_know_are_wrong_answers(tmp_path: Path) -> None:
    task = {"labels": ["INHIBITOR", "ACTIVATOR"], "pairs": [["Chemical", "Gene"]]}
    model = write_tiny_model_folder(
        tmp_path / "m", task="relations", others={**task, "negative": "none"}
    )
    gold = RelationExtraction.toy_documents()
    write_documents(gold, tmp_path / "test.jsonl", "jsonl")
    (relation,) = gold[0].relations
    answers = [replace(gold[0], relations=(replace(relation, label="BINDS"),)), *gold[1:]]
    write_documents(answers, tmp_path / "predicted.jsonl", "jsonl")
    files = tmp_path / "predicted.jsonl", model, tmp_path / "test.jsonl"
    found = call("compare", *files, "--samples", 5, "--json").json["data"]
    # One of two is right, and one of the two gold ones is found.
    assert found["first_score"] == 0.5


def test_predictions_of_other_texts_are_refused(corpus: Path, tmp_path: Path) -> None:
    write_documents(NamedEntityRecognition.toy_documents(), tmp_path / "few.jsonl", "jsonl")
    found = call("compare", tmp_path / "few.jsonl", "embedded", corpus)
    assert found.code == 1
    assert "8 gold documents but 2 predicted" in found.err
    neither = call("compare", tmp_path / "few.jsonl", tmp_path / "few.jsonl", corpus)
    assert "name one model at least" in neither.err
