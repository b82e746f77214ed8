"""Sentences: exact offsets, every character once, and no break after abbreviations."""

import textwrap
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.text.sentences import split_sentences, without_mark


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


@pytest.mark.parametrize(
    "heading",
    [
        "Diagnosis",
        "Past medical history",
        "Discharge Diagnoses",
        "DIAGNOSIS",
        "HISTORY OF PRESENT ILLNESS",
        "Review of Systems",
    ],
)
def test_a_heading_without_a_stop_ends_with_its_line(heading: str) -> None:
    for text in (f"{heading}\nasthma", f"{heading} \r\n  asthma since childhood"):
        assert parts(text)[0] == heading
        assert len(parts(text)) == 2
    assert parts(f"It was seen.\n{heading}\nasthma") == ["It was seen.", heading, "asthma"]


@pytest.mark.parametrize(
    "text",
    [
        "Patient with breast\ncancer",
        "He has a known\nhistory of asthma",
        "Vitamin D\ndeficiency",
        "TNF\nalpha",
        "The patients of Group A,\nfor whom",
        "Non-\nsmall",
        "asthma\nbronchiale",
    ],
)
def test_a_line_that_is_no_heading_goes_on(text: str) -> None:
    assert parts(text) == [text]


@given(
    st.lists(st.sampled_from("Diagnosis History ASTHMA Of of in 5 IL-2 a hyperplasia".split())),
    st.integers(60, 100),
)
def test_wrapping_parts_no_sentence_before_a_small_letter(words: list[str], width: int) -> None:
    text = textwrap.fill(" ".join(words), width, break_on_hyphens=False)
    assert not any(one[0].islower() for one in parts(text)[1:])


def test_prose_has_the_same_sentences_wrapped_or_not() -> None:
    prose = (
        "The diagnosis of the patients was based on their medical history. In 2019 chronic "
        "obstructive pulmonary disease and N-(4-hydroxyphenyl)-2,2-dimethylpropanamide were "
        "given to a group of patients with a history of breast cancer, as well as to those who "
        "had none. Results of the assessment were compared with those of the examination. "
    ) * 5
    for width in range(60, 121):
        wrapped = textwrap.fill(prose, width, break_on_hyphens=False)
        small = [one for one in parts(wrapped) if one[0].islower()]
        assert small == []
        if width > 104:  # lines of 60 characters or more, whatever the next word is
            assert [" ".join(one.split()) for one in parts(wrapped)] == parts(prose)


def test_the_mark_of_a_list_item_can_be_left_out() -> None:
    text = "- asthma\n•gout\n12. lupus\n(3) ulcer\n-5 degrees. 4. mice\nno - mark"
    spans = [without_mark(text, one) for one in split_sentences(text)]
    assert [text[one.start : one.end] for one in spans] == [
        "asthma",
        "gout",
        "lupus",
        "ulcer",
        "-5 degrees.",
        "4. mice\nno - mark",
    ]
    (whole,) = split_sentences("1.")
    assert without_mark("1.", whole) == whole


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
