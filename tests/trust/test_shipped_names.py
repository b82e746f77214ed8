"""The embedded model of names finds, without torch, what no rule and no list gives away."""

from collections.abc import Callable
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


@pytest.mark.parametrize(
    ("change", "most"),
    [(str, 3), (str.lower, 3), (str.upper, 8)],
    ids=["typed", "small", "capital"],
)
def test_ordinary_phrases_of_the_clinic_stay(
    both: Deidentifier, change: Callable[[str], str], most: int
) -> None:
    phrases = change((NOTES / "clinical-phrases.txt").read_text(encoding="utf-8")).splitlines()
    assert len(phrases) > 300
    changed = [one for one in phrases if both.deidentify(one).document.text != one]
    assert len(changed) <= most, changed


@pytest.mark.parametrize("unit", ["y.o.", "yo", "y/o", "y. o.", "yr old", "yrs. old"])
def test_ages_below_90_and_times_of_day_stay(both: Deidentifier, unit: str) -> None:
    persons = ("man", "woman", "M", "F", "gentleman", "lady", "male", "patient")
    texts = [
        f"{before}{age} {unit} {person} with COPD."
        for before in ("", "Pt is a ", "CC: ")
        for age in (34, 58, 62)
        for person in persons
    ]
    texts += [
        f"Seen at {hour} {half} today." for hour in (3, 11) for half in ("p.m.", "am", "A.M.")
    ]
    assert [one for one in texts if both.deidentify(one).document.text != one] == []


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("58 y.o. John Wexler came.", "58 y.o. [NAME] came."),
        ("jane marsh 54 y.o. called", "[NAME] 54 y.o. called"),
        ("At 5 p.m. Jane Marsh called.", "At 5 p.m. [NAME] called."),
    ],
)
def test_a_name_beside_an_age_or_a_time_goes(both: Deidentifier, text: str, done: str) -> None:
    assert both.deidentify(text).document.text == done
