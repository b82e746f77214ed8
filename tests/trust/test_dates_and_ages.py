"""Dates, their ranges, and ages over 89: however they are written, and what only looks like one."""

import pytest

from tests.trust.finding import found


@pytest.mark.parametrize(
    "date",
    [
        "14MAR2024", "14MAR24", "14Mar2024", "2024MAR14", "2024-Mar-14", "2024 March 14",
        "Mar/14/2024", "Mar-14-2024", "Mar.14,2024", "March 14,2024", "14th,March 2024",
        "3rd of May '21", "3rd of May ’21", "third of May 2021", "May the 3rd, 2021",
        "14th and 15th March", "05.2023", "2023-05", "05/'23", "Nov '23",
        "14. 3. 2024", "14 / 3 / 2024", "3/14/'24", "Q1 2024", "first quarter of 2024",
        "spring of 2022", "Winter 2023",
    ],
)  # fmt: skip
def test_a_date_may_be_written_in_many_ways(date: str) -> None:
    assert found(f"Seen {date}.") == [("DATE", date)]
    assert found(f"seen {date} again") == [("DATE", date)]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("3/14/24-3/16/24 inpatient", ["3/14/24", "3/16/24"]),
        ("6/12: doing well", ["6/12"]),
        ("Well.\n - 6/12: doing well\n6/13 - slept", ["6/12", "6/13"]),
        ("Labs (4/5): Na 138; CXR 4/6 clear; echo 4/7", ["4/5", "4/6", "4/7"]),
        ("Sep 3, 24.", ["Sep 3, 24"]),
        ("05/2023-07/2023 abroad", ["05/2023", "07/2023"]),
        ("March 14 - April 2, 2024", ["March 14", "April 2, 2024"]),
        ("Tues 3/14, week of 3/21, LMP 3/1", ["3/14", "3/21", "3/1"]),
        ("DOB: 03 14 1941, dob 031441, D.O.B. 3.14.41", ["03 14 1941", "031441", "3.14.41"]),
        ("Seen in 2024. Born in 1931, YOB '33, DOB: 1934, born 1952", ["1931", "'33", "1934"]),
        ("Born in the 1920s.", ["1920"]),
        ("Her brother, born 1936, is well.", ["1936"]),
    ],
)
def test_dates_and_years_of_birth_are_found_where_words_say_so(text: str, dates: list[str]) -> None:
    assert found(text) == [("DATE", one) for one in dates]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("from 10/12 until 10/15", ["10/12", "10/15"]),
        ("10/12 - 10/15", ["10/12", "10/15"]),
        ("10/12\u201310/15", ["10/12", "10/15"]),
        ("Between 3/4 and 3/9 he improved.", ["3/4", "3/9"]),
        ("Stay from 5/2 through 5/9.", ["5/2", "5/9"]),
        ("Hospital course 3/4-3/9.", ["3/4", "3/9"]),
        ("3/4 till 3/9", ["3/4", "3/9"]),
        ("stayed 5/2 to 5/9/2023", ["5/2", "5/9/2023"]),
        ("12/28 - 1/3", ["12/28", "1/3"]),
        ("Admitted 1/2 to 1/4.", ["1/2", "1/4"]),
        ("May - June 2022", ["May", "June 2022"]),
        ("March to April 2021", ["March", "April 2021"]),
        ("Sept-Oct 2021", ["Sept", "Oct 2021"]),
        ("Jan-Mar 2023", ["Jan", "Mar 2023"]),
        ("Jan-Mar '23", ["Jan", "Mar '23"]),
        ("Aug/Sept 2020", ["Aug", "Sept 2020"]),
        ("may, june and july 2021", ["may", "june", "july 2021"]),
        ("between May and June 2022", ["May", "June 2022"]),
        ("Mar through May", ["Mar", "May"]),
        ("Q1-Q2 2021", ["Q1-Q2 2021"]),
        ("spring to summer 2021", ["spring to summer 2021"]),
        ("March 3 through 9", ["March 3 through 9"]),
        ("Seen 2024-03-14/2024-03-20.", ["2024-03-14", "2024-03-20"]),
        ("2024-03-14T08:30/2024-03-20T10:00", ["2024-03-14T08:30", "2024-03-20T10:00"]),
        ("2024-03-14T08:30Z/2024-03-20T10:00Z", ["2024-03-14T08:30Z", "2024-03-20T10:00Z"]),
        ("3-14-2024/3-20-2024", ["3-14-2024", "3-20-2024"]),
        ("2024-03-14/20, 2024-03-14/04-02", ["2024-03-14/20", "2024-03-14/04-02"]),
        ("BP of 2024-03-14/120/80", ["2024-03-14"]),
    ],
)
def test_both_halves_of_a_range_of_dates_are_found(text: str, dates: list[str]) -> None:
    assert found(text) == [("DATE", one) for one in dates]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("Visit 3-14, surgery 4-2, discharged on 4-9.", ["3-14", "4-2", "4-9"]),
        ("Seen 3-14 and well; since 5-6 she fell", ["3-14", "5-6"]),
        ("CT 3-14 showed none, echo (4-2), due 12-1", ["3-14", "4-2", "12-1"]),
    ],
)
def test_a_day_may_be_written_with_a_hyphen_behind_a_word_for_dates(
    text: str, dates: list[str]
) -> None:
    assert found(text) == [("DATE", one) for one in dates]


@pytest.mark.parametrize(
    "text",
    [
        "Took 3-4 tablets, grade 2-3, visit 3-4 times, every 4-6 hours, on 2-3 L, on 1-2 mg.",
        "By 3-5 days, until 2-3 weeks, last 2-3 days, after 1-2 doses, seen 4-6 weeks later.",
        "Follow-up 3-4 weeks, RTC 3-4 wks, f/u 1-2 months, due 3-4, labs 3-4, next 2-3 visits.",
        "CT 1-2 cm, ECG 2-3 mm, MRI 4-5, MRI L4-5, CT C 5-6; seen on 3-4 nodes; on 5-10% of days.",
        "Labs 135-145; hgb on labs 10-14, wbc 4-10; pain 3-4 on 10-point scale; stage 2-3, T 3-4.",
        "Discharged on 2-3 liters; on 2-3 pressors; until 20-30 mg; on 14-30, on 4-0 silk.",
    ],
)
def test_a_range_of_counts_is_no_date(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Strength 4/5 to 5/5; motor 3/5 - 4/5; strength improved from 4/5 to 5/5.",
        "BP 120/80 - 130/85, then 60/40 to 70/50.",
        "Pain 3/10 to 5/10; pain went from 3/10 - 5/10; mood 4/10 - 6/12.",
        "Visual acuity 6/6 to 6/9, VA 20/40 to 20/30, from 6/12 to 6/9.",
        "1/2 - 2/3 of the tablet, 1/4 to 1/2 tab daily, between 1/2 and 3/4 cup.",
        "BiPAP 10/5 to 12/6; Sinemet 10/100 to 25/100; insulin 8/10 to 10/12 units.",
        "Apgars 7/8 - 8/9; murmur 2/6 to 3/6; reflexes 1/4 to 2/4.",
        "Nodes 2/14 and 3/15 positive; cultures 2/4 and 3/4 bottles.",
        "5/5: strength in all limbs.",
        "He may march to and fro, or may until then sit.",
    ],
)
def test_scores_and_fractions_are_no_range_of_dates(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("91yo man", "91"), ("92YOF with CHF", "92"), ("92 y/o", "92"), ("91yr F", "91"),
        ("a 91-year man", "91"), ("92 years and 3 months", "92"), ("91 male with cough", "91"),
        ("Age/Sex: 92/F", "92"), ("92Y/F", "92"), ("Sex/Age: F/92", "92"), ("92 WF", "92"),
        ("91f with chf", "91"), ("Age (years): 91", "91"), ("age=91", "91"), ("Age is 91", "91"),
        ("sons aged 70 and 92", "92"), ("woman of 91", "91"), ("female, 91", "91"),
        ("pt is 95", "95"), ("She is almost 95", "95"), ("she's 94", "94"), ("will turn 91", "91"),
        ("The patient, 95, lives alone", "95"), ("at 91, she fell", "91"),
        ("mother lived to be 102", "102"), ("passed away at 97", "97"), ("mother d. 94", "94"),
        ("father died 92 MI", "92"), ("97 at death", "97"), ("Mother: 93, alive", "93"),
        ("his father (94) is alive", "94"), ("diagnosed at 91", "91"), ("(92 years)", "92"),
        ("DOB 3/14/1931 (92)", "92"), ("in her early 90's", "90's"), ("his nineties", None),
        ("in his nineties", "nineties"), ("a nonagenarian", "nonagenarian"),
        ("her 95th birthday", "95th"), ("his hundredth birthday", "hundredth"),
        ("ninety-four yo", "ninety-four"), ("aged ninety-one", "ninety-one"),
        ("a one-hundred-year-old", "one-hundred"), ("Pt is a 92yF.", "92"), ("91 yM", "91"),
        ("She is 98yrs.", "98"), ("98yr, frail", "98"), ("The patient (96) fell.", "96"),
        ("pt (94), a widow", "94"), ("Pt (94F) rang", "94"), ("Patients (96) came", None),
        ("cost per patient (96)", None), ("95yrs ago", None),
    ],
)  # fmt: skip
def test_ages_over_89_are_found_however_they_are_told(text: str, age: str | None) -> None:
    ages = [one for kind, one in found(text) if kind == "AGE"]
    assert ages == ([age] if age else [])
