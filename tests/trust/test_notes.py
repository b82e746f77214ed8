"""What is found in notes with planted identifiers must not become less."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from biobert import Deidentifier
from biobert.core.document import Document
from biobert.data.reading import read_documents
from biobert.evaluation.leaks import LeakScores, score_leaks
from biobert.trust.kinds import KINDS

NOTES = Path(__file__).parent / "notes"
ROOT = Path(__file__).parents[2]


def gold(name: str) -> list[Document]:
    return list(read_documents(NOTES / name))


@cache
def scores(name: str) -> LeakScores:
    notes = gold(name)
    deidentifier = Deidentifier()
    return score_leaks(notes, [deidentifier.marked(one) for one in notes])


def test_the_notes_cover_every_kind() -> None:
    notes = [*gold("tuning"), *gold("blind")]
    labels = [one.label for note in notes for one in note.entities]
    assert len(notes) >= 40
    assert len(labels) >= 300
    assert set(labels) == set(KINDS)
    assert all(labels.count(kind) >= 8 for kind in KINDS)


@pytest.mark.parametrize(
    ("name", "recall", "precision", "leak_rate"),
    [("tuning", 0.98, 0.99, 0.02), ("blind", 0.92, 0.98, 0.075)],
)
def test_recall_and_precision_hold(
    name: str, recall: float, precision: float, leak_rate: float
) -> None:
    found = scores(name)
    assert found.overall.recall >= recall
    assert found.precision >= precision
    assert found.leak_rate <= leak_rate


@pytest.mark.parametrize(
    "kind",
    ["DATE", "PHONE", "FAX", "EMAIL", "SSN", "MEDICAL_RECORD", "LICENCE", "DEVICE", "URL", "ZIP"],
)
def test_kinds_with_a_form_of_their_own_are_found_almost_always(kind: str) -> None:
    assert scores("blind").by_kind[kind].recall >= 0.95


def told_of_kinds() -> dict[str, list[str]]:
    """The figures of the guide's table by kind: blind by rules, blind with the model, tuning."""
    guide = (ROOT / "docs/how-to/deidentify.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \|[^|]+\|(.+)\|$", guide, re.MULTILINE)
    return {kind: figures.replace(" ", "").split("|") for kind, figures in rows}


def test_the_table_of_the_guide_says_what_is_found() -> None:
    told = told_of_kinds()
    for kind in KINDS:
        parts = [scores(name).by_kind[kind] for name in ("blind", "tuning")]
        by_rules, _, tuning = told[kind]
        assert [by_rules, tuning] == [f"{one.removed}/{one.identifiers}" for one in parts]


def test_the_table_of_the_guide_says_what_was_measured_with_the_model() -> None:
    results = (ROOT / "benchmarks/results/deidentification.jsonl").read_text(encoding="utf-8")
    measured = map(json.loads, results.splitlines())
    *_, last = (
        one for one in measured if (one["notes"], one.get("names")) == ("blind", "embedded-names")
    )
    told = told_of_kinds()
    for kind, one in last["figures"]["by_kind"].items():
        assert told[kind][1] == f"{one['removed']}/{one['identifiers']}"
