"""Where a task has nothing to say, neither gold nor an earlier answer passes for its own."""

from typing import Any

import pytest

from biobert.core.document import Document
from biobert.tasks import build_task

SAID = {
    "similarity": "4",
    "generated": "Lithium.",
    "generated_parts": "2",
    "generated_unfinished": "1",
    "vector": "[1.0]",
    "vector question": "[1.0]",
}
BLANK = Document(
    "1", " ", labels=("yes",), label_scores={"yes": 1.0}, metadata={"pmid": "7", **SAID}
)


@pytest.mark.parametrize(
    ("task", "settings", "own"),
    [
        ("similarity", {}, {"similarity"}),
        ("generation", {}, {"generated", "generated_parts", "generated_unfinished"}),
        ("embedding", {"learn": "dropout"}, {"vector", "vector question"}),
    ],
)
def test_metadata_of_its_kind_go(task: str, settings: dict[str, Any], own: set[str]) -> None:
    metadata = build_task(task, settings).decode(BLANK, [], []).metadata
    assert {name for name, value in metadata.items() if value} == {"pmid", *SAID} - own


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("qa", {}),
        ("classification", {"labels": ["yes", "no"]}),
        ("cloze", {"labels": ["yes"], "pattern": "{text} [MASK]", "verbalisers": {"yes": ["a"]}}),
    ],
)
def test_labels_and_their_scores_go(task: str, settings: dict[str, Any]) -> None:
    answered = build_task(task, settings).decode(BLANK, [], [])
    assert (answered.labels, answered.label_scores) == ((), {})
