"""Numbers with printed dashes, glued extensions and markup beside them, and what only looks so."""

import pytest

from biobert import Deidentifier
from tests.trust.finding import found

DASHES = ["\u2012", "\u2013"]


@pytest.mark.parametrize("dash", DASHES)
@pytest.mark.parametrize(
    ("kind", "before", "number"),
    [
        ("SSN", "SSN ", "123-45-6789"),
        ("PHONE", "Call ", "555-867-5309"),
        ("PHONE", "Call ", "+1-617-555-0199"),
        ("PHONE", "Call ", "1-800-555-0199"),
        ("PHONE", "Call (617) ", "555-0199"),
        ("PHONE", "phone ", "867-5309"),
        ("DATE", "Seen ", "3-14-2024"),
        ("DATE", "Seen ", "2024-03-14"),
        ("MEDICAL_RECORD", "MRN ", "0048-2913"),
        ("ACCOUNT", "acct ", "77-0091-2284"),
        ("DEVICE", "lot # ", "88-213"),
    ],
)
def test_a_printed_dash_hides_no_number(dash: str, kind: str, before: str, number: str) -> None:
    number = number.replace("-", dash)
    [(found_kind, words)] = found(f"{before}{number}.")
    assert found_kind == kind
    assert words.endswith(number)


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-14–2024-03-20",
        "2024–03–14–2024–03–20",
        "14.03.2024–20.03.2024",
        "3/14/2024–3/20/2024",
        "12 March 2024–14 March 2024",
    ],
)
def test_an_en_dash_between_dates_is_that_of_a_range(text: str) -> None:
    assert [kind for kind, _ in found(text)] == ["DATE", "DATE"]
    assert Deidentifier().deidentify(text).document.text == "[DATE]–[DATE]"


@pytest.mark.parametrize(
    "text",
    [
        "Range 100–200, 3–4 tablets, from 2019–2021, pages 123–1345, plt 150–4000.",
        "Wt 100–1500 mg, 100–2000 units, report 2019–2021, group 2–3, study 2015–16.",
    ],
)
def test_ranges_with_an_en_dash_stay(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("before", "number", "behind"),
    [
        ("Phone: ", "617-555-0199x12", ""),
        ("Call ", "617-555-0199ext. 12", " now"),
        ("", "(617) 555-0199x4411", " office"),
        ("", "6175550199x12", "."),
        ("", "+49 30 901820x12", "."),
        ("tel ", "5550199x3", "."),
        ("", "617-555-0199", "-cell"),
        ("", "617-555-0199", "h"),
        ("", "617-555-0199", "home"),
        ("", "617.555.0199", "c."),
        ("c", "617-555-0199", ""),
        ("w", "(617)555-0199", ""),
        ("", "(617)5550199", ""),
        ("", "617-5550199", ""),
    ],
)
def test_a_telephone_number_may_have_something_glued_to_it(
    before: str, number: str, behind: str
) -> None:
    assert found(before + number + behind) == [("PHONE", number)]


@pytest.mark.parametrize(
    "text",
    ["NM_617-555-0199", "617-555-0199-0", "150 200 1000mg", "100 200 4000ml", "120-130-1400mcg"],
)
def test_what_goes_on_is_no_telephone_number(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("kind", "before", "number", "behind"),
    [
        ("MEDICAL_RECORD", "**MRN:** ", "48291", ""),
        ("MEDICAL_RECORD", "__MRN__: ", "48291", ""),
        ("MEDICAL_RECORD", "`MRN`: `", "48291", "`"),
        ("MEDICAL_RECORD", "| MRN | ", "48291", " |"),
        ("MEDICAL_RECORD", 'MRN: "', "48291", '"'),
        ("MEDICAL_RECORD", "MRN: “", "48291", "”"),
        ("MEDICAL_RECORD", "MRN – ", "48291", ""),
        ("MEDICAL_RECORD", "MRN — ", "4829", ""),
        ("MEDICAL_RECORD", "<b>MRN:</b> ", "48291", ""),
        ("MEDICAL_RECORD", "MRN: <b>", "48291", "</b>"),
        ("MEDICAL_RECORD", '<td>MRN</td><td class="number">', "48291", "</td>"),
        ("MEDICAL_RECORD", "MRN/Acct: ", "48291/55512", ""),
        ("MEDICAL_RECORD", "| Patient ID | ", "48291", " |"),
        ("MEDICAL_RECORD", "CSN ", "1234567", ""),
        ("MEDICAL_RECORD", "EMPI: ", "7654321", ""),
        ("MEDICAL_RECORD", "UHID ", "998877", ""),
        ("MEDICAL_RECORD", "PID: ", "445566", ""),
        ("ACCOUNT", "**Account #:** ", "998812", ""),
        ("DEVICE", "**Serial:** ", "PJN1234", ""),
        ("HEALTH_PLAN", "**Policy:** ", "W12345", ""),
        ("HEALTH_PLAN", "| Policy | ", "W12345", " |"),
    ],
)
def test_markup_parts_no_number_from_its_label(
    kind: str, before: str, number: str, behind: str
) -> None:
    assert found(before + number + behind) == [(kind, number)]


@pytest.mark.parametrize(
    "text",
    [
        "Policy; 12345 patients; account > 10000 dollars; claim <10000; groups > 12345.",
        "No – 12345 cells; sample – 10000 cells; order – 2 units; report; 2019 and 2020.",
        "Each encounter; 30 of them; Medicare; 2015; specimen – 12 cm; PID 2015, PID in 2019.",
    ],
)
def test_what_parts_two_clauses_joins_no_number_to_a_word(text: str) -> None:
    assert found(text) == []
