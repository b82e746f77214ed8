"""Sentences: exact offsets, every character once, and no break after abbreviations."""

import textwrap
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Document, Passage, Span
from biobert.text.sentences import sentences_of, split_sentences, without_marks


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
    spans = without_marks(text, split_sentences(text))
    assert [text[one.start : one.end] for one in spans] == [
        "asthma",
        "gout",
        "lupus",
        "ulcer",
        "-5 degrees.",
        "4. mice\nno - mark",
    ]
    whole = split_sentences("1.")
    assert list(without_marks("1.", whole)) == whole


@pytest.mark.parametrize(
    "marks",
    [
        "a) b) c) d)",
        "(a) (b) (c) (d)",
        "A) B) C) D)",
        "a. b. c. d.",
        "h) i) j) k)",
        "i) ii) iii) iv)",
        "i. ii. iii. iv.",
        "viii. ix. x. xi.",
        "(I) (II) (III) (IV)",
        "I. II. III. IV.",
    ],
)
def test_letters_mark_the_items_of_a_list_as_numbers_do(marks: str) -> None:
    items = ["asthma", "Gout. It is mild.", "low back pain,\n   chronic", "Knee pain (left)."]
    numbered, lettered = (
        "Seen for:\n" + "\n".join(f" {mark} {item}" for mark, item in zip(own, items, strict=True))
        for own in ("1. 2. 3. 4.".split(), marks.split())
    )
    bare = [[text[one.start : one.end] for one in without_marks(text, split_sentences(text))]
            for text in (numbered, lettered)]  # fmt: skip
    assert bare[0] == bare[1]
    assert bare[1][:4] == ["Seen for:", "asthma", "Gout.", "It is mild."]
    own = parts(lettered)
    assert [one.split()[0] for one in own if one.split()[0] in marks.split()] == marks.split()


def test_lists_may_be_inside_others_and_begin_a_text() -> None:
    text = "  a. Mild asthma.\n  b. Gout:\n    i) acute\n    ii) chronic\n  c. Lupus\nShe left."
    spans = split_sentences(text)
    assert [text[one.start : one.end] for one in without_marks(text, spans)] == [
        "Mild asthma.",
        "Gout:",
        "acute",
        "chronic",
        "Lupus",
        "She left.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Cultures grew\ne. coli and\ns. aureus",
        "The results of the groups (a or\nb) were like those of the others (b or\na) then",
        "It fell as in the first panel, which is that of the patients with\na. and the other, "
        "which is that of the patients without the disease, and\nb. as well",
        "The patients had to be at least (i) eighteen years old in the year of the\n"
        "(ii) trial, which began in the year of the approval by the committee of\n(iii) ethics",
    ],
)
def test_letters_at_the_beginning_of_a_line_may_be_no_marks(text: str) -> None:
    assert parts(text) == [text]
    assert list(without_marks(text, split_sentences(text))) == split_sentences(text)


def test_names_keep_their_initials_at_the_beginnings_of_lines() -> None:
    text = "A. Smith is a nurse\nB. Jones is a nurse\nC. elegans is none."
    assert parts(text) == text.split("\n")
    assert list(without_marks(text, split_sentences(text))) == split_sentences(text)


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


@pytest.mark.parametrize(
    "unit", [".", ". ", "a", " ", "\n", "!?", ".\n", '."', "A. ", "\n ", "a)\nb) "]
)
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    text = "a\n" + unit * (200_000 // len(unit)) + "b"
    began = time.process_time()
    list(without_marks(text, split_sentences(text)))
    assert time.process_time() - began < 20


TITLE, REST = "On gout.", "It hurts. It ends"


@pytest.mark.parametrize(
    "passages",
    [
        (Passage(0, 8, "title"),),
        (Passage(0, 8, "title"), Passage(0, 26, "text")),
        (Passage(0, 26, "text"), Passage(9, 26, "abstract"), Passage(0, 8, "title")),
        (Passage(9, 18, "abstract"), Passage(9, 9, "table"), Passage(0, 9, "title")),
    ],
)
def test_what_no_passage_or_two_passages_hold_is_split_once(passages: tuple[Passage, ...]) -> None:
    document = Document("1", f"{TITLE}\n{REST}", passages)
    spans = sentences_of(document)
    assert [document.text[one.start : one.end] for one in spans] == [TITLE, "It hurts.", "It ends"]


def test_own_sentences_stay_and_the_rules_split_the_rest() -> None:
    text = "One. Two three. Four. Five"
    own = (Span(16, 21), Span(5, 8))
    spans = sentences_of(Document("1", text, sentences=own))
    found = [text[one.start : one.end] for one in spans]
    assert found == ["One.", "Two", "three.", "Four.", "Five"]
    blank = (Span(0, 4), Span(2, 5), Span(5, 15))
    assert sentences_of(Document("1", text[:15], sentences=blank)) == [Span(0, 4), Span(5, 15)]


@given(
    st.text(alphabet="aB .\n", max_size=30),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))),
)
def test_parts_that_overlap_or_leave_gaps_cover_the_text_once(
    text: str, places: list[tuple[int, int]]
) -> None:
    bounds = [sorted(min(place, len(text)) for place in one) for one in places]
    own = tuple(Span(start, end) for start, end in bounds if start < end)
    passages = tuple(Passage(start, end, "text") for start, end in bounds)
    for document in (Document("1", text, passages), Document("1", text, sentences=own)):
        spans = sentences_of(document)
        covered = [place for one in spans for place in range(one.start, one.end)]
        assert covered == sorted(set(covered))
        assert {place for place, sign in enumerate(text) if not sign.isspace()} <= set(covered)
