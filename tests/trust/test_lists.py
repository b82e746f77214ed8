"""The lists of names, places and words: their sources, and what stands in them."""

from importlib.resources import files
from itertools import combinations

import pytest

from biobert.trust.clinical import DRUG, LISTS, TERM
from biobert.trust.lists import entries, folded, spelled

WORDS_AND_EPONYMS = {"christmas", "doppler", "gram", "pick"}
NAMES = ("given_names_female", "given_names_male", "surnames")
SORTED = ("devices", "drugs", "eponym_nouns", "eponyms", "organisms", "vocabulary", "words")
EVERY = (*NAMES, *SORTED, "places", "states")


def test_every_list_is_known_here() -> None:
    folder = files("biobert.trust") / "lists"
    assert {one.name for one in folder.iterdir()} == {f"{name}.txt" for name in EVERY}


@pytest.mark.parametrize("name", EVERY)
def test_a_list_says_where_it_comes_from_and_under_which_licence(name: str) -> None:
    text = (files("biobert.trust") / "lists" / f"{name}.txt").read_text(encoding="utf-8")
    head = " ".join(line for line in text.splitlines() if line.startswith("#"))
    assert "public domain" in head or "under its licence" in head


@pytest.mark.parametrize("name", EVERY)
def test_nothing_stands_in_a_list_twice(name: str) -> None:
    all_entries = spelled(name)
    assert len(all_entries) == len(set(all_entries)) > 30


@pytest.mark.parametrize("name", SORTED)
def test_lists_of_words_are_in_order(name: str) -> None:
    letters = ["".join(filter(str.isalpha, folded(one))) for one in spelled(name)]
    assert letters == sorted(letters)


def test_lists_that_are_looked_up_together_share_nothing() -> None:
    for one, two in combinations(LISTS, 2):
        assert entries(one).all & entries(two).all <= WORDS_AND_EPONYMS, (one, two)


@pytest.mark.parametrize("name", [*NAMES, "places"])
def test_no_stem_and_no_ending_of_clinical_words_ends_a_name(name: str) -> None:
    assert not [one for one in entries(name).all if DRUG.fullmatch(one) or TERM.fullmatch(one)]
    assert not entries(name).all & (entries("drugs").all | entries("vocabulary").all)
    assert not entries(name).all & entries("devices").all


@pytest.mark.parametrize("name", ["drugs", "vocabulary"])
def test_what_a_stem_tells_is_not_listed(name: str) -> None:
    told = [one for one in entries(name).all if DRUG.fullmatch(one) or TERM.fullmatch(one)]
    assert not told
