"""Words and their tags through the command line, with a model that tags at random."""

import json
from pathlib import Path

import pytest

from biobert import Annotator
from biobert.data.reading import read_documents
from biobert.runtime.settings import RuntimeSettings
from tests.cli.calling import call
from tests.tiny import write_tiny_model_folder

ROWS = """Lithium NN
and CC
IL-2 NN
rose VBD
. .

`` ``
The DT
(+)-form NN
fell VBD
'' ''
"""
TAGS = ["NN", "CC", "VBD", ".", "DT", "``", "''"]
TEXT = "Lithium (and IL-2) rose.\nThe (+)-form fell."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tagger"
    return write_tiny_model_folder(folder, task="pos", labels=TAGS)


def test_evaluation_reports_accuracies(model: Path, tmp_path: Path) -> None:
    (tmp_path / "test.pos").write_text(ROWS.replace(" ", "\t"))
    report = tmp_path / "report.json"
    found = call("evaluate", model, tmp_path / "test.pos", "--report", report)
    assert found.code == 0, found.err
    assert "tag accuracy" in found.out
    scores = json.loads(report.read_text())["scores"]
    assert scores["micro"]["support"] == 10
    assert set(scores["by_label"]) == set(TAGS)
    assert 0 <= scores["word_accuracy"] <= scores["tag_accuracy"] <= 1
    wrong = sum(pair["count"] for pair in scores["confusions"])
    assert scores["tag_accuracy"] == pytest.approx(1 - wrong / 10)


def test_words_are_not_reported_as_mentions(model: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "test.pos"
    corpus.write_text(ROWS.replace(" ", "\t"))
    values = call("evaluate", model, corpus, "--json").json["data"]
    assert values["errors"] is None
    assert set(values["token_level"]) <= {*TAGS, "O"}
    by_tag = {tag: one["support"] for tag, one in values["token_level"].items() if tag != "O"}
    assert sum(by_tag.values()) == 10
    assert by_tag["NN"] == 3
    shown = " ".join(call("evaluate", model, corpus).out.split())
    assert "pos, strict" in shown
    assert "(over sentences)" in shown
    assert "entity" not in shown
    assert "IOB2" not in shown
    diagnosed = call("diagnose", model, corpus)
    assert "recall by" not in diagnosed.out
    assert "labels that look wrong" in diagnosed.out


def test_scores_and_comparisons_are_of_one_measure(model: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "test.pos"
    corpus.write_text(ROWS.replace("Lithium NN", "Lithium FW"))
    scored = call("evaluate", model, corpus, "--json").json["data"]
    main, interval = scored["scores"]["main"], scored["interval"]
    assert scored["scores"]["by_label"]["FW"]["support"] == 1
    assert interval["low"] <= main <= interval["high"]
    compared = call("compare", model, model, corpus, "--samples", 9, "--json").json["data"]
    assert compared["first_score"] == pytest.approx(main)
    diagnosed = call("diagnose", model, corpus, "--json").json["data"]
    assert diagnosed["score"] == pytest.approx(main)


def test_chosen_tags_alone_are_scored(model: Path, tmp_path: Path) -> None:
    (tmp_path / "test.pos").write_text(ROWS)
    found = call("evaluate", model, tmp_path / "test.pos", "--labels", "NN,VBD", "--json")
    scores = found.json["data"]["scores"]
    assert set(scores["by_label"]) == {"NN", "VBD"}
    assert scores["micro"]["support"] == 5


def test_every_word_of_a_text_is_an_entity(model: Path) -> None:
    document = Annotator(model).annotate(TEXT)
    found = "".join(document.mention(entity) for entity in document.entities)
    assert found == "".join(TEXT.split())
    assert {entity.label for entity in document.entities} <= set(TAGS)
    assert all(0 < (entity.score or 0) <= 1 for entity in document.entities)


@pytest.mark.parametrize("format", ["jsonl", "conll-pos", "bioc-json", "pubtator"])
def test_words_are_written_in_every_format(model: Path, format: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    found = call(
        "annotate", tmp_path / "a.txt", "--model", model, "--output", tmp_path / "out",
        "--to", format, "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    (output,) = found.json["data"]["outputs"]
    expected = Annotator(model).annotate(TEXT)
    (document,) = read_documents(output, format)
    assert [(document.mention(one), one.label) for one in document.entities] == [
        (expected.mention(one), one.label) for one in expected.entities
    ]


def test_an_exported_tagger_gives_the_same_words(model: Path, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    found = call("export", model, "--output", exported, "--weights", "float32", "--json")
    assert found.json["data"]["difference_float32"] < 1e-4
    exact = RuntimeSettings(precision="float32")
    folders = (model, exported)
    own, other = (Annotator(one, settings=exact).annotate(TEXT).entities for one in folders)
    assert [(one.start, one.end, one.label) for one in own] == [
        (one.start, one.end, one.label) for one in other
    ]
