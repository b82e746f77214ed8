"""Dates read and written again in their own form."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from biobert.trust.calendar import DateReading, reading_of, shifted, tells_old_age

MONTH_FIRST, DAY_FIRST = DateReading(year=2023), DateReading(day_first=True, year=2023)


@pytest.mark.parametrize(
    ("text", "later"),
    [
        ("3/14/2024", "3/24/2024"),
        ("03/14/24", "03/24/24"),
        ("12-30-1999", "01-09-2000"),
        ("2024-02-25", "2024-03-06"),
        ("2024-02-25T08:30:00Z", "2024-03-06T08:30:00Z"),
        ("20240225", "20240306"),
        ("3/14", "3/24"),
        ("9/25", "10/5"),
        ("March 14, 2024", "March 24, 2024"),
        ("14 MAR 2024", "24 MAR 2024"),
        ("14-Mar-24", "24-Mar-24"),
        ("the 22nd of June", "the 2nd of July"),
        ("Mar 21st", "Mar 31st"),
        ("Tuesday, March 12, 2024", "Friday, March 22, 2024"),
        ("Tue 12 Mar 2024", "Fri 22 Mar 2024"),
        ("Wed, 8 Mar 2023 11:20:14", "Sat, 18 Mar 2023 11:20:14"),
        ("May 2019", "May 2019"),
        ("08/2020", "08/2020"),
        ("Christmas Eve", "January 3"),
        ("feb 3", "feb 13"),
        ("Mar 14", "Mar 24"),
        ("May 24 '22", "June 3 '22"),
        ("28MAR2024", "7APR2024"),
        ("28MAR24", "7APR24"),
        ("2024-Dec-28", "2025-Jan-7"),
        ("3rd of May ’21", "13th of May ’21"),
        ("25 / 2 / 2024", "6 / 3 / 2024"),
        ("05.2023", "05.2023"),
        ("2023-12", "2023-12"),
    ],
)
def test_ten_days_later_in_the_same_form(text: str, later: str) -> None:
    assert shifted(text, 10, MONTH_FIRST) == later


def test_the_day_may_come_first() -> None:
    assert shifted("03/04/2024", 10, DAY_FIRST) == "13/04/2024"
    assert shifted("03/04/2024", 10, MONTH_FIRST) == "03/14/2024"
    assert shifted("25.12.2023", 10, MONTH_FIRST) == "04.01.2024"


def test_the_dates_of_a_note_tell_how_to_read_it() -> None:
    assert reading_of(["3/4/2021", "14/3/2019"]) == DateReading(True, 2021, 2021)
    assert reading_of(["3/14/2021", "May 2022"]) == DateReading(False, 2022, 2022)
    assert reading_of(["3/14", "2024-13-01"]).day_first is False


@pytest.mark.parametrize(
    ("texts", "year"),
    [
        (["3/14/41", "3/14/24"], 2024),
        (["DOB 14-Mar-41", "14MAR24"], 2024),
        (["3/14/41", "3/14/2024", "1/2/25"], 2025),
        (["3/14/1941", "3/14/24"], 2024),
        (["14 March '41"], 1941),
    ],
)
def test_two_digits_of_a_year_beyond_the_note_are_of_the_century_before(
    texts: list[str], year: int
) -> None:
    assert reading_of(texts).year == year


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("3/14/1931", True), ("3/14/31", True), ("19310314", True), ("March '31", True),
        ("14 Mar 31", True), ("1934", True), ("3/14/1935", False), ("3/14/24", False),
        ("3/14", False), ("May 5", False),
    ],
)  # fmt: skip
def test_a_date_ninety_years_before_the_note_tells_an_age(text: str, tells: bool) -> None:
    assert tells_old_age(text, reading_of(["3/14/2024"])) is tells


@pytest.mark.parametrize(
    "text",
    [
        "the 3rd",
        "Thanksgiving",
        "March 14-16",
        "13/13/2024",
        "2/30",
        "Q1 2024",
        "third of May",
        "May 14, 24",
    ],
)
def test_what_cannot_be_moved_says_so(text: str) -> None:
    assert shifted(text, 10, MONTH_FIRST) is None


@given(
    st.dates(date(1920, 1, 1), date(2049, 12, 1)),
    st.integers(-364, -1),
    st.sampled_from(["%Y-%m-%d", "%m/%d/%Y", "%B %d, %Y", "%d %b %Y", "%A, %d %B %Y", "%Y%m%d"]),
)
def test_every_form_moves_by_the_days_that_are_asked_for(day: date, days: int, form: str) -> None:
    # `May` does not tell whether the names of months are cut short.
    assume("%b" not in form or day.month != 5)
    moved = shifted(day.strftime(form), days, MONTH_FIRST)
    assert moved is not None
    expected = (day + timedelta(days=days)).strftime(form)
    assert unpadded(moved) == unpadded(expected)


def unpadded(text: str) -> str:
    return re.sub(r"\b0(?=\d\b)", "", text)
