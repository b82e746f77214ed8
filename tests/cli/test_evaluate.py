"""`biobert evaluate` and `biobert export`, end to end on small files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from biobert.core.document import Document
from biobert.core.model_folder import read_manifest
from biobert.data.reading import write_documents
from biobert.pipeline.evaluating import shared_unit
from biobert.tasks import build_task
from tests.cli.calling import call
from tests.tiny import write_tiny_model_folder

CONLL = """Lithium B-Chem
caused O
cardiac B-Disease
arrest I-Disease
. O

Breast B-Disease
cancer I-Disease
patients O
recovered O
. O
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "test.tsv").write_text(CONLL.replace(" ", "\t"))
    return tmp_path / "test.tsv"


def test_the_report_holds_what_it_promises(corpus: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    found = call(
        "evaluate", "embedded", corpus, "--rename", "Chem=Chemical", "--report", report,
        "--confusion", tmp_path / "confusion.png",
    )  # fmt: skip
    assert found.code == 0, found.err
    values = json.loads(report.read_text())
    micro = values["scores"]["micro"]
    assert micro["support"] == 3
    assert 0 <= micro["precision"] <= 1
    assert micro["f1"] > 0.6
    assert set(values["scores"]["by_label"]) == {"Disease", "Chemical"}
    assert values["interval"]["low"] <= micro["f1"] <= values["interval"]["high"]
    assert values["sentences"] == 2
    assert values["seconds"] > 0
    assert values["sentences_per_second"] > 0
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "renames",
    [
        ["--rename", "Chem=Chemical,Disease=Disease"],
        ["--rename", "Chem=Chemical, Disease=Disease"],
        ["--rename", "Chem=Chemical", "--rename", "Disease=Disease"],
        ["--rename", "Disease=Chemical", "--rename", "Chem=Chemical"],
    ],
)
def test_several_labels_are_renamed(renames: list[str], corpus: Path) -> None:
    found = call("evaluate", "embedded", corpus, *renames, "--json")
    assert found.code == 0, found.err
    scores = found.json["data"]["scores"]
    expected = {one.partition("=")[2] for given in renames[1::2] for one in given.split(",")}
    assert set(scores["by_label"]) == expected
    assert scores["micro"]["support"] == 3


def test_labels_choose_what_is_scored(corpus: Path) -> None:
    found = call("evaluate", "embedded", corpus, "--labels", "Disease", "--json")
    assert found.json["data"]["scores"]["micro"]["support"] == 2


def test_types_that_the_model_does_not_know_are_told(corpus: Path) -> None:
    found = call("evaluate", "embedded", corpus)
    assert found.code == 0, found.err
    assert "these types: Chem (1)" in found.out.replace("\n", " ")
    data = call("evaluate", "embedded", corpus, "--labels", "Disease", "--json").json["data"]
    assert data["not_scored"] == {}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--labels", "Gene"], "Disease"),
        (["--rename", "Chem"], "THEIRS=OURS"),
        (["--rename", "Chem=Chemical,Disease"], "--rename Disease: write it as THEIRS=OURS"),
        (["--rename", "Chem=Drug,Chem=Chemical"], "--rename Chem: given as both Drug and Chemical"),
        (["--rename", "Disease=Illness,Chem=Drug"], "none in common"),
        (["--rename", "Disease=Illness", "--rename", "Chem=Drug"], "none in common"),
    ],
)
def test_wrong_labels_name_the_right_ones(corpus: Path, arguments: list[str], word: str) -> None:
    found = call("evaluate", "embedded", corpus, *arguments)
    assert found.code in (1, 2)
    assert word in found.err


BRAT = "Lithium caused cardiac arrest."


@pytest.fixture
def brat(tmp_path: Path) -> Path:
    folder = tmp_path / "brat"
    folder.mkdir()
    (folder / "one.txt").write_text(BRAT)
    (folder / "one.ann").write_text(
        "T1\tChemical 0 7\tLithium\nT2\tDisease 15 29\tcardiac arrest\nT3\tDisease 40 50\tnowhere\n"
    )
    return folder


def test_a_model_that_names_no_training_data_is_not_compared(brat: Path, tiny_model: Path) -> None:
    found = call("evaluate", tiny_model, brat, "--json").json["data"]
    assert found["shared_with_train"] is None
    assert found["errors"]["recall_seen"] is None
    shown = call("evaluate", tiny_model, brat).out
    assert "not compared with the training data: the model names none" in shown


def labelled(place: Path, *texts: str) -> Path:
    write_documents([Document(one, one, labels=("yes",)) for one in texts], place, "jsonl")
    return place


def name_training(folder: Path, *corpora: Path, **others: object) -> None:
    """Write into a model's manifest what it has learnt from."""
    train = [{"corpus": str(one), "splits": ["train"]} for one in corpora]
    recipe = {"data": {"train": train}, **others}
    replace(read_manifest(folder), recipe=recipe).write(folder)


def test_what_a_model_has_learnt_from_is_counted_in_its_test_set(tmp_path: Path) -> None:
    start, model = (
        write_tiny_model_folder(tmp_path / name, task="classification", labels=("yes", "no"))
        for name in ("start", "model")
    )
    test = labelled(tmp_path / "test.jsonl", "One.", "Two.", "Three.", "Four.")
    name_training(start, labelled(tmp_path / "earlier.jsonl", "Four."))
    begun = {"model": {"encoder": str(start)}}
    shown = []
    for texts in (("Else.",), ("One.", "two.", "Five."), ("One.", "Two.", "Three.")):
        name_training(model, labelled(tmp_path / "own.jsonl", *texts), **begun)
        shown.append(call("evaluate", model, test).out.replace("\n", ""))
    assert "documents that stand in the training data too: 1 of 4; without them " in shown[0]
    assert "documents that stand in the training data too: 3 of 4; without them " in shown[1]
    assert "too: 4 of 4; without them there is nothing to score" in shown[2]
    name_training(model, tmp_path / "own.jsonl")
    assert "too: 3 of 4; without them " in call("evaluate", model, test).out
    name_training(model, tmp_path / "gone.jsonl", labelled(tmp_path / "own.jsonl", "Else."))
    found = call("evaluate", model, test).out.replace("\n", "")
    assert "documents that stand in the training data too: 0 of 4" in found
    assert "gone.jsonl train:not on this machine" in found.replace(": not", ":not")


def test_documents_that_share_a_sentence_are_told_apart(tmp_path: Path) -> None:
    model = write_tiny_model_folder(tmp_path / "m", task="classification", labels=("yes", "no"))
    sentence = "Lithium caused cardiac arrest in rats."
    test = labelled(tmp_path / "test.jsonl", f"New. {sentence}", "Two.")
    name_training(model, labelled(tmp_path / "own.jsonl", f"{sentence} Old."))
    found = call("evaluate", model, test).out.replace("\n", " ")
    assert "documents that stand in the training data too: 0 of 2" in found
    assert "passage or a sentence stands there: 1 of 2; without them" in found


@pytest.mark.parametrize(("scope", "unit"), [("sentence", "sentences"), ("document", "documents")])
def test_relations_are_compared_where_they_are_looked_for(scope: str, unit: str) -> None:
    settings = {"labels": ["CAUSES"], "pairs": [["Chemical", "Disease"]], "scope": scope}
    assert shared_unit(build_task("relations", settings)) == unit


def test_a_file_without_documents_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    found = call("evaluate", "embedded", tmp_path / "empty.jsonl")
    assert found.code == 1
    assert "empty.jsonl (test) has no documents" in found.err
    (tmp_path / "bad.jsonl").write_text("{}\n")
    found = call("evaluate", "embedded", tmp_path / "bad.jsonl")
    assert "1 records were set aside, the first at bad.jsonl:1" in found.err


@pytest.mark.parametrize("verb", ["evaluate", "diagnose", "compare"])
def test_what_could_not_be_read_is_counted_and_listed(
    verb: str, brat: Path, tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.jsonl"
    systems = ["embedded"] * (2 if verb == "compare" else 1)
    found = call(verb, *systems, brat, "--rejects", rejects)
    assert found.code == 0, found.err
    assert "1 records set aside" in found.out
    assert json.loads(rejects.read_text())["file"] == "one.ann"
    assert call(verb, *systems, brat, "--json").json["data"]["set_aside"] == 1


def test_an_unknown_corpus_names_the_nearest() -> None:
    found = call("evaluate", "embedded", "NCBI-desease")
    assert found.code == 2
    assert "NCBI-disease" in found.err


def test_an_exported_model_annotates(tiny_model: Path, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    found = call("export", tiny_model, "--output", exported, "--json")
    assert found.json["data"]["difference_float32"] < 1e-4
    annotated = call("annotate", "-", "--model", exported, "--json", stdin="Lithium and cancer.")
    assert annotated.code == 0, annotated.err
    assert annotated.json["data"]["model"] == "tiny 1"


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    found = call("export", tmp_path, "--output", tmp_path / "out")
    assert found.code == 1
    assert "biobert.json" in found.err
