"""Answers of a model that has a part for questions."""

from pathlib import Path

import pytest

from biobert import Annotator, Answerer
from biobert.core.errors import BadInputError
from biobert.pipeline.load import load_model
from biobert.runtime.settings import RuntimeSettings
from tests.tiny import write_tiny_model_folder

NAMES = {"name": "ner", "labels": ["Disease", "Chemical"]}
ASKED = {
    "name": "qa",
    "maximum_answer_tokens": 4,
    "windows": {"maximum_tokens": 64, "overlap_tokens": 8},
}
CONTEXT = "The aspirin was given. Then lithium caused cardiac arrest!"
TORCH = RuntimeSettings(engine="torch")


def test_the_first_part_for_questions_answers(tmp_path: Path) -> None:
    parts = {"names": NAMES, "asked": ASKED, "again": ASKED}
    folder = write_tiny_model_folder(tmp_path / "m", task="multitask", others={"parts": parts})
    whole = load_model(folder, TORCH)
    found = Answerer(folder, top=3, settings=TORCH).answer("what?", CONTEXT)
    assert len(found.found) == 3
    assert found == Answerer(whole.part("asked"), top=3).answer("what?", CONTEXT)
    assert found != Answerer(whole.part("again"), top=3).answer("what?", CONTEXT)
    # A plain text is no question, and has names all the same.
    text = "Lithium caused cardiac arrest."
    names = Annotator(whole.part("names")).annotate(text).entities
    assert names and Annotator(whole).annotate(text).entities == names


def test_a_model_that_answers_nothing_is_refused(tmp_path: Path) -> None:
    parts = {"names": NAMES, "others": NAMES}
    folder = write_tiny_model_folder(tmp_path / "m", task="multitask", others={"parts": parts})
    with pytest.raises(BadInputError, match="answering needs a model for 'qa'"):
        Answerer(folder)
