"""Sentences: exact offsets, every character once, and no break after abbreviations."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.text.sentences import split_sentences


def parts(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split_sentences(text)]


@given(st.text(alphabet="aB1 .!?\n\t()e.gFi", max_size=200))
def test_every_visible_character_is_in_exactly_one_sentence(text: str) -> None:
    spans = split_sentences(text)
    covered = [position for span in spans for position in range(span.start, span.end)]
    assert covered == sorted(set(covered))
    visible = {position for position, character in enumerate(text) if not character.isspace()}
    assert visible <= set(covered)
    for span in spans:
        piece = text[span.start : span.end]
        assert piece == piece.strip()


@pytest.mark.parametrize(
    "sentence",
    [
        "Some drugs, e.g. aspirin, help.",
        "See Fig. 2 for details.",
        "Growth of E. coli was slow.",
        "It was given i.v. twice daily.",
        "Treated vs. untreated mice differed.",
        "Smith et al. reported this.",
        "J. Smith and A. B. Jones wrote it.",
        "The dose was 0.5 mg/kg (P < 0.05).",
        "It grew at 37.5 degrees in no. 5 medium.",
        "Approx. 30 patients took 10 mg p.o. b.i.d. for a week.",
    ],
)
def test_abbreviations_do_not_split(sentence: str) -> None:
    assert parts(sentence) == [sentence]
    assert parts(f"{sentence} Then it ended.") == [sentence, "Then it ended."]


def test_ordinary_ends_split() -> None:
    text = 'We saw it. Did you? "Yes!" they said (Table 1). p53 was lost. mRNA fell.'
    assert parts(text) == [
        "We saw it.",
        "Did you?",
        '"Yes!" they said (Table 1).',
        "p53 was lost.",
        "mRNA fell.",
    ]


def test_clinical_notes_split_at_headings_and_list_items() -> None:
    text = "HISTORY:\n68-year-old woman with asthma.\n\nDIAGNOSES:\n1. Asthma\n2. Diabetes\n"
    assert parts(text) == [
        "HISTORY:",
        "68-year-old woman with asthma.",
        "DIAGNOSES:",
        "1. Asthma",
        "2. Diabetes",
    ]


def test_wrapped_lines_are_one_sentence() -> None:
    text = (
        "Patients with chronic kidney disease were followed for as long as\n"
        "they remained in the study and were then compared."
    )
    assert parts(text) == [text]


def test_a_part_of_a_text_keeps_the_offsets_of_the_whole() -> None:
    text = "Left out. Kept one. Kept two. Left out."
    spans = split_sentences(text, 10, 29)
    assert [text[span.start : span.end] for span in spans] == ["Kept one.", "Kept two."]


@pytest.mark.parametrize("unit", [".", ". ", "a", "\n", "!?", ".\n", '."', "A. "])
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    began = time.process_time()
    split_sentences(text)
    assert time.process_time() - began < 20
