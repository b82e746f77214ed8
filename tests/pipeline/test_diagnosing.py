"""A diagnosis finds planted errors, and says what its figures suggest."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.core.task import Score, Scores
from biobert.data.reading import write_documents
from biobert.evaluation.breakdown import Breakdown, Recall
from biobert.evaluation.errors import ErrorTable
from biobert.evaluation.overlap import Shared
from biobert.pipeline import diagnosing
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.diagnosing import CurvePoint, Diagnosis, advice
from biobert.pipeline.judging import Judgement, judgements, suspects
from biobert.pipeline.learning_curve import share_learner
from biobert.pipeline.load import load_model
from biobert.tasks import build_task
from tests.cli.calling import call
from tests.tiny import write_tiny_model_folder

LABELS = ("no", "yes")
WORDS = ("b", "c", "d", "e", "f", "g", "h", "i", "j", "k")
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
    shared=Shared(0, 100, "sentences", None, ()),
    training_learnt=1.0,
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
        ({"training_score": 0.01, "training_learnt": 0.1}, "Nothing stands out in the labels:"),
        ({"training_score": 0.99, "training_learnt": 0.0}, "Nothing stands out in the labels:"),
        ({"suspicious": None, "training_learnt": 0.0}, "nothing to look at but the score"),
        ({"suspicious": 30}, "30 of 100 labels look wrong"),
        ({"suspicious": 30, "score": 0.1, "training_score": None}, "poor (10.0%)"),
        ({"curve": (CurvePoint(0.5, 0.7), CurvePoint(1.0, 0.8))}, "still rises"),
        ({"curve": (CurvePoint(0.5, 0.8), CurvePoint(1.0, 0.8))}, "is flat"),
        ({}, "Nothing stands out in the gap to training, the labels:"),
        ({"judged": None}, "Nothing stands out in the gap to training:"),
        ({"score": 0.6, "training_score": None}, "poor (60.0%), and the labels do not tell"),
        ({"judged": None, "training_score": None}, "nothing to look at but the score"),
        (
            {"is_share": False, "score": 0.15, "training_score": 0.16},
            "Nothing stands out in the gap to training",
        ),
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


@pytest.mark.parametrize("choice", ["one", "many"])
def test_an_example_of_several_windows_is_one_judgement(choice: str, tmp_path: Path) -> None:
    settings = {
        "labels": ["no", "yes"],
        "choice": choice,
        "windows": {"maximum_tokens": 16, "overlap_tokens": 4},
    }
    folder = write_tiny_model_folder(tmp_path / "m", task="classification", others=settings)
    model = load_model(folder)
    document = Document("1", "Lithium caused cardiac arrest. " * 10, labels=("yes",))
    found = list(judgements(model, [document]))
    answered = Annotator(model).annotate(document).label_scores
    assert [one.labels[-1] for one in found] == (["yes"] if choice == "one" else ["no", "yes"])
    for one in found:
        assert one.probabilities[-1] == pytest.approx(answered[one.labels[-1]], abs=1e-5)
    assert sum(one.is_given for one in found) == 1


def test_wrong_ones_of_several_labels_are_found_and_shown_shortly() -> None:
    random = np.random.default_rng(3)
    found = []
    for number in range(100):
        for name in "ab":
            truth = int(random.random() < 0.4)
            share = 0.95 if truth else 0.05
            given = 1 - truth if (number, name) == (30, "a") else truth
            labels, both = (f"not {name}", name), np.array([1 - share, share], dtype=np.float32)
            document = Document(str(number), "word " * 400)
            found.append(Judgement(document, 0, 2000, labels, given, both, nothing=labels[0]))
    count, (worst,) = suspects(found, most=10)
    assert (count, worst.document) == (1, "30")
    assert {worst.gold, worst.model} == {"a", "not a"}
    assert len(worst.text) < 210


def test_that_a_word_goes_on_is_no_label(tmp_path: Path) -> None:
    folder = write_tiny_model_folder(tmp_path / "m", task="pos", labels=("NN", "VBZ"))
    words = (Entity(0, 4, "NN"), Entity(5, 14, "VBZ"))
    found = list(judgements(load_model(folder), [Document("1", "IL-2 activates", entities=words)]))
    assert [one.labels for one in found] == [("NN", "VBZ")] * 2
    assert all(one.probabilities.sum() == pytest.approx(1.0, abs=1e-5) for one in found)


def test_labels_that_are_not_checked_are_named(tmp_path: Path) -> None:
    folder = write_tiny_model_folder(tmp_path / "m", task="qa", others={})
    corpus = tmp_path / "devel.jsonl"
    write_documents(build_task("qa", {}).toy_documents(), corpus, "jsonl")
    found = call("diagnose", folder, corpus)
    assert found.code == 0, found.err
    assert "labels of this task are not checked" in found.out
    assert "Nothing stands out" not in found.out


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


def test_what_the_model_has_learnt_from_is_not_judged(tiny_model: Path, tmp_path: Path) -> None:
    """Confident learning, and the score, would show what the model remembers."""
    words = ("lithium", "aspirin", "cancer", "pain", "arrest", "rest", "breast", "x", "y", "z", "a")
    files = {"train": words, "devel": (*words[1:], "Lithium"), "test": words[:1] + WORDS}
    for split, texts in files.items():
        documents = [Document(one, one, entities=(Entity(0, 1, "Disease"),)) for one in texts]
        write_documents(documents, tmp_path / "c" / f"{split}.jsonl", "jsonl")
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    recipe = {"data": {"train": [{"corpus": str(tmp_path / "c"), "splits": ["train"]}]}}
    replace(read_manifest(model), recipe=recipe).write(model)
    for split in ("train", "devel"):
        found = call("diagnose", model, tmp_path / "c", "--split", split)
        assert found.code == 1
        assert f"learnt from 11 of the 11 sentences of {tmp_path / 'c'} {split}" in found.err
        assert "--split test" in found.err
    found = call("diagnose", model, tmp_path / "c", "--split", "test")
    assert found.code == 0, found.err
    assert "sentences that stand in the training data too: 1 of 11" in found.out


def corpus_of(folder: Path) -> Path:
    """A corpus that the tiny model answers badly: it takes whole words for chemicals."""
    for split, words in (("train", "lmnopqrstuv"), ("test", WORDS)):
        documents = [Document(one, one * 3, entities=(Entity(0, 1, "Chemical"),)) for one in words]
        write_documents(documents, folder / f"{split}.jsonl", "jsonl")
    return folder


def test_advice_on_training_is_for_what_the_model_has_learnt_from(
    tiny_model: Path, tmp_path: Path
) -> None:
    corpus = corpus_of(tmp_path / "c")
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    strange = call("diagnose", model, corpus, "--split", "test").out
    assert "training split, which it is not known to have learnt from: " in strange
    assert "does not even know" not in strange
    assert "times in training" not in strange
    recipe = {"data": {"train": [{"corpus": str(corpus), "splits": ["train"]}]}}
    replace(read_manifest(model), recipe=recipe).write(model)
    known = call("diagnose", model, corpus, "--split", "test").out
    assert "on the corpus's training split: " in known
    assert "does not even know its training data" in known
    assert "recall by times in training: " in known


def test_a_model_that_hardly_answers_is_not_asked_about_labels(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("diagnose", tiny_model, corpus_of(tmp_path / "c"), "--split", "test")
    values = call(*asked, "--json").json["data"]
    assert values["score"] < diagnosing.JUDGES
    assert (values["suspicious"], values["suspects"]) == (None, [])
    assert "not looked for; a model that scores below 50" in call(*asked).out
    monkeypatch.setattr(diagnosing, "JUDGES", 0.0)
    assert call(*asked, "--json").json["data"]["suspicious"] is not None
    assert f"beside {len(WORDS)} given ones" in call(*asked).out


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


def asked_to_learn(folder: Path, output: Path, **changes: object) -> list[dict[str, Any]]:
    """What is trained for half a model's curve: a model of this recipe in `folder`."""
    recipe = {"name": "own", "task": {"name": "ner"}, "data": {"train": [{"corpus": "c"}]}}
    manifest = replace(read_manifest(folder), recipe={**recipe, **changes})
    trained: list[dict[str, Any]] = []

    def train(tables: Mapping[str, Any], place: Path) -> None:
        trained.append(dict(tables))
        shutil.copytree(folder, place, dirs_exist_ok=True)

    learn = share_learner(manifest, [0.5], output, train)
    assert learn(0.5).name == "tiny 1"
    return trained


def test_a_curve_is_of_its_own_model(tiny_model: Path, tmp_path: Path) -> None:
    half = {"train": [{"corpus": "c", "share": 0.5}]}
    assert asked_to_learn(tiny_model, tmp_path / "curve")[0]["data"] == half
    assert asked_to_learn(tiny_model, tmp_path / "curve") == []
    with pytest.raises(
        BadInputError, match=r"share-0.5 holds a run of other settings \(name: 'own"
    ):
        asked_to_learn(tiny_model, tmp_path / "curve", name="another")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"averaged": []}, r"not made by its recipe alone \(averaged\)"),
        ({"interpolated": {}}, "interpolated"),
        ({"members": []}, "members"),
        ({"task": {"name": "multitask"}}, "a part of a multitask model"),
    ],
)
def test_a_model_that_no_recipe_makes_has_no_curve(
    changes: dict[str, object], word: str, tiny_model: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match=word):
        asked_to_learn(tiny_model, tmp_path / "curve", **changes)
    assert not (tmp_path / "curve").exists()


def test_a_model_without_a_recipe_has_no_curve(tiny_model: Path, tmp_path: Path) -> None:
    found = call("diagnose", tiny_model, "nowhere", "--curve", "0.5", "--output", tmp_path / "c")
    assert found.code == 1
    assert "tiny names no recipe" in found.err


@pytest.mark.parametrize(
    ("options", "word"), [(["--curve", "0.5"], "go together"), (["--curve", "2"], "go together")]
)
def test_wrong_options_are_named(tiny_model: Path, options: list[str], word: str) -> None:
    found = call("diagnose", tiny_model, "nowhere", *options)
    assert found.code == 2
    assert word in found.err
