"""Thresholds of joined models hold for what is joined, not for one of the members."""

from dataclasses import replace
from pathlib import Path

import pytest

from biobert.core.document import Document
from biobert.core.model_folder import read_manifest
from biobert.data.reading import write_documents
from biobert.pipeline.annotator import Annotator
from biobert.tasks import build_task
from tests.cli.calling import call
from tests.tiny import write_tiny_model_folder

TASK = {"labels": ["a", "b"], "choice": "many"}
WORDS = ("lithium", "aspirin", "cancer", "the arrest", "diabetes and pain", "rest", "x", "breast")


@pytest.fixture
def devel(tmp_path: Path) -> list[Document]:
    documents = [
        Document(str(number), text, labels=(("a",), ("b",), ("a", "b"), ())[number % 4])
        for number, text in enumerate(WORDS)
    ]
    write_documents(documents, tmp_path / "devel.jsonl", "jsonl")
    return documents


def models(folder: Path, *thresholds: float, train: str | None = None) -> list[Path]:
    """Models of one task that learnt from `train`, and their thresholds on `devel.jsonl`."""
    made = []
    data = {"train": [{"corpus": str(folder / train)}]} if train else {}
    for number, threshold in enumerate(thresholds):
        settings = {**TASK, "thresholds": {"a": threshold, "b": threshold}}
        model = write_tiny_model_folder(
            folder / f"m{number}", task="classification", others=settings, seed=number
        )
        recipe = {"data": {**data, "devel": [{"corpus": str(folder / "devel.jsonl")}]}}
        replace(read_manifest(model), recipe=recipe).write(model)
        made.append(model)
    return made


@pytest.mark.parametrize("verb", ["ensemble", "average"])
def test_thresholds_that_differ_are_chosen_anew(
    verb: str, devel: list[Document], tmp_path: Path
) -> None:
    found = call(verb, *models(tmp_path, 0.9, 0.1), "--output", tmp_path / "out")
    assert found.code == 0, found.err
    answers = list(Annotator(tmp_path / "out").annotate_many(devel))
    best = build_task("classification", TASK).tuned(devel, answers).settings()
    assert read_manifest(tmp_path / "out").task_settings["thresholds"] == best["thresholds"]
    assert not set(best["thresholds"].values()) & {0.9, 0.1}


@pytest.mark.parametrize("verb", ["ensemble", "average"])
def test_thresholds_are_not_chosen_on_what_a_model_has_learnt_from(
    verb: str, devel: list[Document], tmp_path: Path
) -> None:
    """A fold of another member, for one: the members are too sure of it."""
    learnt = [replace(one, id="learnt", text=one.text.upper(), labels=()) for one in devel[2:]]
    write_documents(learnt, tmp_path / "fold.jsonl", "jsonl")
    members = [*models(tmp_path, 0.9, train="fold.jsonl"), *models(tmp_path / "b", 0.1)]
    write_documents(devel, tmp_path / "b" / "devel.jsonl", "jsonl")
    found = call(verb, *members, "--output", tmp_path / "out")
    assert found.code == 0, found.err
    answers = list(Annotator(tmp_path / "out").annotate_many(devel))
    task = build_task("classification", TASK)
    chosen = read_manifest(tmp_path / "out").task_settings["thresholds"]
    assert chosen == task.tuned(devel[:2] * 2, answers[:2] * 2).settings()["thresholds"]
    assert chosen != task.tuned(devel, answers).settings()["thresholds"]


@pytest.mark.parametrize("verb", ["ensemble", "average"])
def test_where_all_of_devel_was_learnt_from_nothing_is_written(
    verb: str, devel: list[Document], tmp_path: Path
) -> None:
    write_documents(devel, tmp_path / "fold.jsonl", "jsonl")
    members = models(tmp_path, 0.9, 0.1, train="fold.jsonl")
    found = call(verb, *members, "--output", tmp_path / "out")
    assert found.code == 1
    assert "some model has learnt from 8 of the 8 documents there; a vote" in found.err
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize("verb", ["ensemble", "average"])
def test_thresholds_that_are_the_same_stay(verb: str, tmp_path: Path) -> None:
    found = call(verb, *models(tmp_path, 0.4, 0.4), "--output", tmp_path / "out")
    assert found.code == 0, found.err
    settings = read_manifest(tmp_path / "out").task_settings
    assert settings["thresholds"] == {"a": 0.4, "b": 0.4}


@pytest.mark.parametrize("verb", ["ensemble", "average"])
def test_without_devel_nothing_is_written(verb: str, tmp_path: Path) -> None:
    found = call(verb, *models(tmp_path, 0.9, 0.1), "--output", tmp_path / "out")
    assert "devel.jsonl train is not on this machine" in found.err
    assert not list(tmp_path.glob("*out*"))


def test_a_vote_needs_no_devel(tmp_path: Path) -> None:
    members = models(tmp_path, 0.9, 0.1, 0.1)
    output = tmp_path / "out"
    found = call("ensemble", *members, "--output", output, "--rule", "vote")
    assert found.code == 0, found.err
    answers = [Annotator(member).annotate("lithium and cancer").labels for member in members]
    wanted = tuple(one for one in ("a", "b") if sum(one in some for some in answers) >= 2)
    assert len(set(answers)) > 1
    assert Annotator(output).annotate("lithium and cancer").labels == wanted
