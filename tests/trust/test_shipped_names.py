"""The tagger of names in `models/` finds, without torch, what no rule and no list gives away."""

from pathlib import Path

import pytest

from biobert import Deidentifier
from biobert.core.model_folder import read_manifest
from biobert.trust.tagger import load_tagger

FOLDER = Path(__file__).parents[2] / "models" / "biobert-names"
LARGEST_FILE = 30_000_000


@pytest.fixture(scope="module")
def both() -> Deidentifier:
    """The rules and the model together."""
    return Deidentifier(names=load_tagger(FOLDER).annotate)


def test_its_files_are_small_and_tell_where_they_come_from() -> None:
    assert all(path.stat().st_size <= LARGEST_FILE for path in FOLDER.iterdir())
    assert read_manifest(FOLDER).recipe["model"]["encoder"] == "models/biobert-mini"


def test_names_and_places_are_found_in_small_letters(both: Deidentifier) -> None:
    text = "pt jane marsh called, her brother tobin will drive her home to ashcombe"
    assert "jane marsh" in Deidentifier().deidentify(text).document.text
    found = both.deidentify(text).document.text
    assert not [name for name in ("jane", "marsh", "tobin", "ashcombe") if name in found]


def test_diseases_drugs_and_what_is_named_after_people_stay(both: Deidentifier) -> None:
    text = "Metformin for diabetes; Parkinson disease since spring, Foley catheter in place."
    assert both.deidentify(text).document.text == text
