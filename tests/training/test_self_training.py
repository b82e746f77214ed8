"""Teachers and students on toy documents: what is sure joins, what is not stays out."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from biobert.core.annotate import Answer
from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.core.questions import question_document
from biobert.data.catalogue import read_split
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.training.self_training import REPORT, ROUNDS, SILVER, sure_answers
from tests.tiny import write_tiny_model_folder
from tests.training.conftest import Recorder

NEW = ["Aspirin caused diabetes.", "Lithium and breast cancer.", "Aspirin did not."]


@pytest.fixture
def unlabelled(tmp_path: Path) -> Path:
    documents = [Document("a", " ".join(NEW)), Document("b", "Cardiac arrest and the lithium.")]
    write_documents(documents, tmp_path / "new.jsonl")
    with (tmp_path / "new.jsonl").open("a") as stream:
        stream.write('{"txt": "unreadable"}\n')
    return tmp_path / "new.jsonl"


def kill_in_round(output: Path, number: int) -> None:
    """As if the run had been killed in the middle of a round."""
    for name in ("biobert.json", "config.json", "model.safetensors"):
        (output / ROUNDS / str(number) / name).unlink()


def report_of(output: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((output / REPORT).read_text())
    return rows


def test_students_learn_from_what_their_teachers_are_sure_of(
    run: Callable[..., Recorder], unlabelled: Path, tmp_path: Path, tables: dict[str, Any]
) -> None:
    table = {
        "unlabelled": [{"corpus": str(unlabelled)}],
        "rounds": 2,
        "minimum_score": 0.3,
        "times": 2,
    }
    data = {"devel": tables["data"]["train"]}
    listener = run("model", self_training=table, data=data)
    output = tmp_path / "model"
    rows = report_of(output)
    assert [one["round"] for one in rows] == [0, 1, 2]
    # "Aspirin did not." is a sentence of the training data.
    assert [(one["weighed"], one["known"]) for one in rows[1:]] == [(3, 1)] * 2
    for number in (1, 2):
        silver = output / ROUNDS / str(number) / SILVER
        found = read_split(str(silver), "train", CorpusPlaces(tmp_path))
        assert len(found) == rows[number]["sure"] > 0
        assert all(one.annotated_labels == ("Chemical", "Disease") for one in found)
        student = read_manifest(output / ROUNDS / str(number))
        assert student.recipe["data"]["train"][-1]["corpus"] == str(silver)
        assert student.recipe["data"]["train"][-1]["times"] == 2
    best = max(one["devel"] for one in rows)
    assert read_manifest(output).metrics["devel"] == best
    assert sum("self-training round" in one for one in listener.notes) == 2
    assert sum("1 records were set aside" in one for one in listener.notes) == 2
    assert not list(output.rglob("checkpoints"))


def test_a_stopped_run_goes_on(
    run: Callable[..., Recorder], unlabelled: Path, tmp_path: Path
) -> None:
    table = {"unlabelled": [{"corpus": str(unlabelled)}], "rounds": 1, "minimum_score": 0.0}
    run("model", self_training=table, run={"epochs": 1})
    output = tmp_path / "model"
    first = report_of(output)
    with pytest.raises(BadInputError, match="--resume"):
        run("model", self_training=table, run={"epochs": 1})
    kill_in_round(output, 1)
    (output / REPORT).unlink()
    teacher = (output / ROUNDS / "0" / "model.safetensors").stat().st_mtime_ns
    listener = run("model", self_training=table, run={"epochs": 1}, resume=True)
    assert (output / ROUNDS / "0" / "model.safetensors").stat().st_mtime_ns == teacher
    assert listener.losses
    assert report_of(output) == first


def test_texts_that_are_weighed_are_not_read_again(
    run: Callable[..., Recorder], unlabelled: Path, tmp_path: Path
) -> None:
    table = {"unlabelled": [{"corpus": str(unlabelled)}], "rounds": 1, "minimum_score": 0.0}
    run("model", self_training=table, run={"epochs": 1})
    first = report_of(tmp_path / "model")
    unlabelled.unlink()
    kill_in_round(tmp_path / "model", 1)
    listener = run("model", self_training=table, run={"epochs": 1}, resume=True)
    assert listener.losses
    assert report_of(tmp_path / "model") == first


def test_several_processes_are_refused(
    run: Callable[..., Recorder], unlabelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    with pytest.raises(BadInputError, match="one process: start it without torchrun"):
        run("model", self_training={"unlabelled": [{"corpus": str(unlabelled)}]})


def test_the_manifest_of_the_model_comes_last(
    run: Callable[..., Recorder],
    unlabelled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(*places: Path, **settings: Any) -> None:
        copytree(*places, **settings)
        raise OSError("killed")

    monkeypatch.setattr("shutil.copytree", killed)
    table = {"unlabelled": [{"corpus": str(unlabelled)}], "rounds": 1, "minimum_score": 1.0}
    with pytest.raises(OSError, match="killed"):
        run("model", self_training=table, run={"epochs": 1})
    assert (tmp_path / "model" / "model.safetensors").is_file()
    assert not (tmp_path / "model" / "biobert.json").exists()


def test_nothing_sure_is_the_end(
    run: Callable[..., Recorder], unlabelled: Path, tmp_path: Path
) -> None:
    table = {"unlabelled": [{"corpus": str(unlabelled)}], "rounds": 3, "minimum_score": 1.0}
    run("model", self_training=table, run={"epochs": 1})
    rows = report_of(tmp_path / "model")
    assert [one["sure"] for one in rows] == [0, 0]
    assert (tmp_path / "model" / "model.safetensors").is_file()


def test_only_sure_answers_are_taken() -> None:
    answers = [Answer(Document(str(one), "a"), one) for one in (0.2, 0.9, 0.95)]
    found = sure_answers(answers, 0.9, ["A"])
    assert [one.id for one in found] == ["0.9", "0.95"]
    assert found[0].annotated_labels == ("A",)


@pytest.mark.parametrize(("name", "value"), [("rounds", 0), ("minimum_score", 1.5)])
def test_settings_that_cannot_be_are_refused(
    run: Callable[..., Recorder], unlabelled: Path, name: str, value: float
) -> None:
    with pytest.raises(BadInputError, match=name):
        run("model", self_training={"unlabelled": [{"corpus": str(unlabelled)}], name: value})


@pytest.mark.parametrize(
    "task",
    [
        {"name": "multitask"},
        {"name": "pretraining"},
        {"name": "similarity"},
        {"name": "generation"},
        {"name": "embedding", "learn": "dropout"},
    ],
    ids=lambda task: str(task["name"]),
)
def test_tasks_without_silver_are_refused_before_a_teacher_is_trained(
    run: Callable[..., Recorder], tmp_path: Path, task: dict[str, str]
) -> None:
    with pytest.raises(BadInputError, match=f"does not fit '{task['name']}'"):
        run("model", task=task, self_training={"unlabelled": [{"corpus": "texts"}]})
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("labels", "expected"), [((), [(12, 19)]), (("no-answer",), [])], ids=["best", "none"]
)
def test_of_a_question_the_answer_alone_is_learnt(
    labels: tuple[str, ...], expected: list[tuple[int, int]]
) -> None:
    question = question_document("1", "What helps?", "Lithium and aspirin.")
    found = (Entity(24, 31, "answer", score=0.03), Entity(12, 19, "answer", score=0.95))
    said = replace(question, entities=found, labels=labels, label_scores={"no-answer": 0.01})
    (silver,) = sure_answers([Answer(said, 0.95)], 0.9, ())
    assert [(one.start, one.end) for one in silver.entities] == expected


def test_another_recipe_is_another_run_but_there_may_be_more_rounds(
    run: Callable[..., Recorder], unlabelled: Path, tmp_path: Path
) -> None:
    def asked(**table: Any) -> dict[str, Any]:
        texts = {"unlabelled": [{"corpus": str(unlabelled)}], "minimum_score": 0.0}
        return {"self_training": {**texts, **table}}

    once = {"run": {"epochs": 1}}
    run("model", **asked(), **once)
    with pytest.raises(BadInputError, match=r"minimum_score: 0\.0, now 1\.0"):
        run("model", **asked(minimum_score=1.0), **once, resume=True)
    with pytest.raises(BadInputError, match=r"the recipe changed \(optimizer\.learning_rate: "):
        run("model", **asked(), **once, optimizer={"learning_rate": 1e-5}, resume=True)
    run("model", **asked(rounds=2), **once, resume=True)
    assert [one["round"] for one in report_of(tmp_path / "model")] == [0, 1, 2]
    with pytest.raises(BadInputError, match=r"rounds: 2, now 1\); resume with the same recipe or"):
        run("model", **asked(rounds=1), **once, resume=True)


def test_a_first_teacher_that_was_never_trained_binds_to_nothing(
    run: Callable[..., Recorder], unlabelled: Path, tmp_path: Path
) -> None:
    table = {"unlabelled": [{"corpus": str(unlabelled)}]}
    with pytest.raises(BadInputError, match="no such"):
        run("model", self_training=table, data={"train": [{"corpus": "./gone.jsonl"}]})
    run("model", self_training=table, run={"epochs": 1}, resume=True)
    assert (tmp_path / "model" / "biobert.json").is_file()


def test_another_model_is_not_trained_over(
    run: Callable[..., Recorder], unlabelled: Path, tmp_path: Path
) -> None:
    write_tiny_model_folder(tmp_path / "model")
    with pytest.raises(BadInputError, match="holds a model, and no run"):
        run("model", self_training={"unlabelled": [{"corpus": str(unlabelled)}]})


def test_when_the_best_model_changes_the_old_manifest_leaves_first(
    run: Callable[..., Recorder],
    unlabelled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = {"unlabelled": [{"corpus": str(unlabelled)}], "minimum_score": 0.0}
    run("model", self_training=table, run={"epochs": 1})

    def killed(*places: Path, **settings: Any) -> None:
        copytree(*places, **settings)
        raise OSError("killed")

    monkeypatch.setattr("shutil.copytree", killed)
    with pytest.raises(OSError, match="killed"):
        run("model", self_training={**table, "rounds": 2}, run={"epochs": 1}, resume=True)
    assert not (tmp_path / "model" / "biobert.json").exists()
