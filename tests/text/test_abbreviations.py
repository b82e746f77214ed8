"""Where a text defines an abbreviation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.text.abbreviations import abbreviations


def found(text: str) -> list[tuple[str, str]]:
    return [
        (text[one.short.start : one.short.end], text[one.long.start : one.long.end])
        for one in abbreviations(text)
    ]


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("Ten patients had acute renal failure (ARF).", "ARF", "acute renal failure"),
        ("with ataxia-telangiectasia ( A-T ) and", "A-T", "ataxia-telangiectasia"),
        ("5-hydroxytryptamine (5-HT) rose", "5-HT", "5-hydroxytryptamine"),
        ("Heat shock transcription factor [HSTF]", "HSTF", "Heat shock transcription factor"),
        ("FISH (fluorescence in situ hybridization)", "FISH", "fluorescence in situ hybridization"),
        ("cytochrome P450 3A4 (CYP3A4)", "CYP3A4", "cytochrome P450 3A4"),
        ("the long-QT syndrome (LQTS, n = 4)", None, None),
    ],
)
def test_definitions(text: str, short: str | None, long: str | None) -> None:
    assert found(text) == ([] if short is None else [(short, long)])


@pytest.mark.parametrize(
    "text",
    [
        "Aspirin (100 mg) was given.",
        "The drug (see below) helps.",
        "Lithium (Li) and xyz (ABC).",
        "in the second group (n = 12)",
        "Three of (3 patients) them",
        "()( )(A)",
        "(ARF) acute renal failure",
    ],
)
def test_what_is_no_definition(text: str) -> None:
    assert all(short == "Li" for short, _ in found(text))


def test_a_long_form_has_few_words_and_no_short_form_in_it() -> None:
    words = " ".join(["alpha", *["or"] * 12, "beta"])
    assert found(f"{words} (AB)") == []
    assert found("ARF of the acute renal failure ARF (ARF)") == []


def test_every_definition_of_a_text_in_its_order() -> None:
    text = "Breast cancer (BC) and ovarian cancer (OC) and BC."
    assert found(text) == [("BC", "Breast cancer"), ("OC", "ovarian cancer")]


@given(st.text(alphabet="aB (-)[]é1\n", max_size=80))
def test_spans_lie_in_the_text_and_the_letters_fit(text: str) -> None:
    for short, long in found(text):
        letters = iter(long.lower())
        assert all(sign in letters for sign in short.lower() if sign.isalnum())
        assert long[0].lower() == next(sign for sign in short.lower() if sign.isalnum())
