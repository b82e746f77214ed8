"""The embedded model of names finds, without torch, what no rule and no list gives away."""

from pathlib import Path

import pytest

from biobert import Deidentifier
from biobert.data.reading import read_documents
from biobert.evaluation.leaks import score_leaks
from biobert.pipeline.load import EMBEDDED_NAMES
from biobert.trust.tagger import load_tagger

NOTES = Path(__file__).parent / "notes"


@pytest.fixture(scope="module")
def both() -> Deidentifier:
    """The rules and the model together."""
    return Deidentifier(names=load_tagger(EMBEDDED_NAMES).annotate)


def test_names_and_places_are_found_in_small_letters(both: Deidentifier) -> None:
    text = "pt jane marsh called, her brother tobin will drive her home to ashcombe"
    assert "jane marsh" in Deidentifier().deidentify(text).document.text
    found = both.deidentify(text).document.text
    assert not [name for name in ("jane", "marsh", "tobin", "ashcombe") if name in found]


def test_diseases_drugs_and_what_is_named_after_people_stay(both: Deidentifier) -> None:
    text = "Metformin for diabetes; Parkinson disease since spring, Foley catheter in place."
    assert both.deidentify(text).document.text == text


@pytest.mark.parametrize(("name", "share"), [("clean-tuning", 0.027), ("clean-blind", 0.06)])
def test_few_words_go_from_notes_that_name_nobody(
    both: Deidentifier, name: str, share: float
) -> None:
    notes = list(read_documents(NOTES / name))
    assert len(notes) == 12
    assert score_leaks(notes, [both.marked(one) for one in notes]).clean_words_replaced <= share
