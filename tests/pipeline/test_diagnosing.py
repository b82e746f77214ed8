"""A diagnosis finds planted errors, and says what its figures suggest."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biobert.core.document import Document
from biobert.core.task import Score, Scores
from biobert.data.reading import write_documents
from biobert.evaluation.breakdown import Breakdown, Recall
from biobert.evaluation.errors import ErrorTable
from biobert.pipeline.diagnosing import CurvePoint, Diagnosis, advice
from biobert.pipeline.judging import Judgement, suspects
from tests.cli.calling import call

LABELS = ("no", "yes")
PLAIN = Diagnosis(
    model="m 1",
    corpus="c",
    split="devel",
    score=0.80,
    training_score=0.88,
    curve=(),
    judged=100,
    suspicious=0,
    suspects=(),
    breakdown=None,
    errors=None,
    advice=(),
)
SCORES = Scores(0.8, Score(0.8, 0.8, 0.8, 100), {})


def test_planted_wrong_labels_are_found() -> None:
    random = np.random.default_rng(3)
    document = Document("d", "word " * 200)
    found = []
    for number in range(200):
        truth = number % 2
        likely = 0.95 + 0.01 * random.random()
        probabilities = np.array([1 - likely, likely] if truth else [likely, 1 - likely])
        given = 1 - truth if number in (20, 51, 120) else truth
        place = 5 * number
        found.append(
            Judgement(document, place, place + 4, LABELS, given, probabilities.astype(np.float32))
        )
    count, worst = suspects(found, most=10)
    assert count == 3
    assert {one.start for one in worst} == {100, 255, 600}
    assert all(one.gold != one.model and one.gold_probability < 0.1 for one in worst)
    assert "[word]" in worst[0].text


def test_labels_of_one_kind_alone_are_not_weighed() -> None:
    document = Document("d", "word")
    one = Judgement(document, 0, 4, LABELS, 0, np.array([0.4, 0.6], dtype=np.float32))
    assert suspects([one], most=5) == (0, [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"training_score": 0.6}, "train longer"),
        ({"training_score": 0.99}, "by heart"),
        ({"suspicious": 30}, "30 of 100 labels look wrong"),
        ({"curve": (CurvePoint(0.5, 0.7), CurvePoint(1.0, 0.8))}, "still rises"),
        ({"curve": (CurvePoint(0.5, 0.8), CurvePoint(1.0, 0.8))}, "is flat"),
        ({}, "Nothing stands out"),
    ],
)
def test_advice_follows_from_the_figures(change: dict[str, object], words: str) -> None:
    assert words in " ".join(advice(replace(PLAIN, **change), SCORES))  # type: ignore[arg-type]


def test_weak_places_and_borders_are_named() -> None:
    rows = (Recall("0", 10, 40), Recall("1", 38, 40))
    rare = (Recall("1", 0, 5),)
    errors = ErrorTable(
        {"correct": 50, "wrong boundary": 9, "wrong type": 0, "missed": 5, "spurious": 1},
        {},
        None,
        None,
    )
    found = replace(PLAIN, breakdown=Breakdown(rare, rare, rows), errors=errors)
    said = advice(found, SCORES)
    assert any("with 0 times in training are found in 25.0% (40 of them" in one for one in said)
    assert any("9 of 15 errors are boundaries" in one for one in said)
    assert len(said) == 2


def test_the_verb_reports_on_a_corpus(tiny_model: Path, tmp_path: Path) -> None:
    from biobert.tasks.ner import NamedEntityRecognition

    documents = NamedEntityRecognition.toy_documents() * 3
    for split in ("train", "devel"):
        write_documents(documents, tmp_path / "corpus" / f"{split}.conll", "conll")
    report = tmp_path / "report.json"
    found = call("diagnose", tiny_model, tmp_path / "corpus", "--report", report)
    assert found.code == 0, found.err
    assert "What to try next:" in found.out
    values = json.loads(report.read_text())
    assert values["judged"] > 0
    assert values["score"] == values["training_score"]
    assert values["breakdown"]["mention_words"]


def test_without_a_training_split_nothing_is_said_of_it(tiny_model: Path, tmp_path: Path) -> None:
    from biobert.tasks.ner import NamedEntityRecognition

    documents = NamedEntityRecognition.toy_documents() * 3
    write_documents(documents, tmp_path / "folder" / "devel.conll", "conll")
    for corpus in (tmp_path / "folder", tmp_path / "folder" / "devel.conll"):
        values = call("diagnose", tiny_model, corpus, "--json").json["data"]
        assert values["training_score"] is None
        assert values["breakdown"]["training_mentions"] == []
        assert values["breakdown"]["mention_words"]
        said = call("diagnose", tiny_model, corpus).out
        assert "times in training" not in said
        assert "training split" not in said


@pytest.mark.parametrize(
    ("options", "word"), [(["--curve", "0.5"], "go together"), (["--curve", "2"], "go together")]
)
def test_wrong_options_are_named(tiny_model: Path, options: list[str], word: str) -> None:
    found = call("diagnose", tiny_model, "nowhere", *options)
    assert found.code == 2
    assert word in found.err
