"""Every kind of identifier by example, and what looks like one and is none."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert import Deidentifier
from biobert.trust.finding import find_identifiers
from biobert.trust.identifiers._check_digits import drug_enforcement, iban, luhn, vin
from tests.trust.finding import found


@pytest.mark.parametrize(
    ("kind", "before", "identifier", "behind"),
    [
        ("NAME", "Mrs. ", "Sullivan", " is well."),
        ("NAME", "Mr. ", "O'Brien-Katz", ", a welder"),
        ("NAME", "seen by Dr. ", "van der Meer", " today"),
        ("NAME", "Patient: ", "KOWALCZYK, HENRY J.", "  F"),
        ("NAME", "her daughter ", "Xochitl", " called"),
        ("NAME", "Signed, ", "Ifeanyi Uzor", ", MD"),
        ("NAME", "", "Jennifer Alvarez", " fell."),
        ("NAME", "from dr. ", "wexler", " today"),
        ("LOCATION", "at ", "800 Olentangy Road, Apt 4B", " since"),
        ("LOCATION", "P: ", "P.O. Box 918", "."),
        ("LOCATION", "moved to ", "Zanesville", ", Ohio"),
        ("LOCATION", "admitted to ", "Mount Carmel Hospital", " again"),
        ("LOCATION", "She lives in ", "Brattleboro", "."),
        ("ZIP", "in Ohio ", "43214-0012", "."),
        ("DATE", "on ", "3/14/2024", "."),
        ("DATE", "on ", "14.03.2024", "."),
        ("DATE", "at ", "2024-03-14T08:30:00Z", " by"),
        ("DATE", "on ", "Tuesday, March 14th, 2024", "."),
        ("DATE", "on ", "14-Mar-24", "."),
        ("DATE", "in ", "March 2024", "."),
        ("DATE", "in ", "October", "."),
        ("DATE", "since ", "3/4", "."),
        ("DATE", "on ", "Christmas Eve", "."),
        ("DATE", "DOB ", "19410714", "."),
        ("AGE", "a ", "91", "-year-old woman"),
        ("AGE", "Ada, ", "103", ", a widow"),
        ("AGE", "a ", "ninety-four", " year old man"),
        ("AGE", "Pt is a ", "95", "M w/ COPD."),
        ("AGE", "Pt. ", "93", " F"),
        ("AGE", "", "94", "F with fever to 38.4, afebrile now"),
        ("PHONE", "call ", "(617) 555-0143 ext. 12", " now"),
        ("PHONE", "tel ", "+44 20 7946 0958", "."),
        ("PHONE", "pager ", "44871", "."),
        ("FAX", "fax: ", "617-555-0199", "."),
        ("EMAIL", "write to ", "a.lee+x@mail.example.org", "."),
        ("SSN", "SSN ", "412-55-7790", "."),
        ("SSN", "SSN: ", "438228841", "."),
        ("SSN", "social security number ending in ", "4417", "."),
        ("MEDICAL_RECORD", "MRN: ", "00482913", "."),
        ("MEDICAL_RECORD", "Med. Rec. No. ", "B77-10926", "."),
        ("HEALTH_PLAN", "Member ID ", "XEH928374651", "."),
        ("HEALTH_PLAN", "no label ", "1EG4-TE5-MK73", "."),
        ("ACCOUNT", "Account # ", "77-0091-2284", "."),
        ("ACCOUNT", "paid with ", "4111 1111 1111 1111", "."),
        ("ACCOUNT", "from ", "GB82 WEST 1234 5698 7654 32", "."),
        ("LICENCE", "license no. ", "RN118827", "."),
        ("LICENCE", "NPI ", "1234567893", "."),
        ("LICENCE", "reg ", "AH1188273", "."),
        ("VEHICLE", "bought ", "1M8GDM9AXKP042788", "."),
        ("VEHICLE", "plate ", "7ABC 123", " seen"),
        ("DEVICE", "serial number ", "MCR661827", "."),
        ("DEVICE", "label ", "(01)00643169007222(17)190630(21)MCR661827", "."),
        ("DEVICE", "card ", "9c:5a:44:1f:20:b7", "."),
        ("URL", "see ", "https://clinic.example/p?id=7", "."),
        ("URL", "see ", "www.clinic.example", "."),
        ("URL", "see ", "clinic-notes.com/a/b", "."),
        ("IP_ADDRESS", "from ", "192.168.40.12", "."),
        ("IP_ADDRESS", "from ", "2001:db8:85a3::8a2e:370:7334", "."),
        ("BIOMETRIC", "fingerprint ID ", "FP-88201-R2", "."),
        ("PHOTOGRAPH", "see ", "lee_face.JPG", "."),
        ("OTHER", "Claim # ", "C2019-77120", "."),
        ("OTHER", "id ", "123e4567-e89b-12d3-a456-426614174000", "."),
        ("OTHER", "wrote ", "00918827364", "."),
        ("PHONE", "reach him: ", "+49 30 901820", "."),
        ("PHONE", "", "+353 1 6761234", " after six"),
        ("PHONE", "", "+4930901820", "."),
        ("PHONE", "or ", "+44 (0)20 7946 0958", "."),
        ("PHONE", "or ", "0044 20 7946 0958", "."),
        ("FAX", "fax ", "0049-30-901820", "."),
        ("LOCATION", "GPS ", "44.9778, -93.2650", "."),
        ("LOCATION", "coordinates: ", "44.9778 N, 93.2650 W", "."),
        ("LOCATION", "found at ", "-33.86882, 151.20929", "."),
        ("LOCATION", "at ", "44°58'40\"N 93°15'54\"W", "."),
        ("LOCATION", "Lat: ", "44.9778, Long: -93.2650", "."),
        ("OTHER", "posts as ", "@kasiaw1987", " daily"),
        ("OTHER", "Instagram: ", "jo.bloggs.92", "."),
        ("OTHER", "her TikTok handle is ", "bloggsy", "."),
        ("OTHER", "X: ", "@bloggs_j", "."),
        ("OTHER", "fb ", "jo_bloggs", "."),
        ("OTHER", "username: ", "bloggsy", "."),
        ("DEVICE", "cup, Lot ", "QRT3382B", ", size 54"),
        ("DEVICE", "vaccine lot ", "EX7714", " given"),
        ("DEVICE", "lot # ", "88213", "."),
        ("EMAIL", "write to ", "jo_b [at] mail [dot] example", " first"),
        ("EMAIL", "write to ", "jo.b(at)mail.example", "."),
        ("EMAIL", "write to ", "jo dot b at mail dot org", "."),
        ("HEALTH_PLAN", "Policy ", "QRS 4471 9902 18", " was renewed"),
        ("MEDICAL_RECORD", "MRN ", "4471990218", " given"),
        ("OTHER", "transcribed, job ", "771204", "."),
        ("DATE", "seen on ", "17.08.", " again"),
        ("DATE", "was admitted on ", "4.9.", ""),
        ("MEDICAL_RECORD", "Patient ID: ", "12", ""),
        ("NAME", "signed: ", "qzr", ""),
        ("NAME", "Dictated by ", "QZR", ", 14:30"),
        ("NAME", "Reviewed by ", "T.K.W.", " today"),
        ("NAME", "", "T.K.W.", ", MD"),
        ("NAME", "Patient: ", "Will Okwu", ", well"),
    ],
)
def test_an_identifier_is_found_whole(kind: str, before: str, identifier: str, behind: str) -> None:
    # The full stop of a date without a year may end the sentence too.
    is_short_date = kind == "DATE" and identifier.endswith(".")
    expected = identifier.rstrip(".") if is_short_date else identifier
    assert found(before + identifier + behind) == [(kind, expected)]


@pytest.mark.parametrize(
    "text",
    [
        "He has Parkinson disease and Hodgkin lymphoma; a Foley catheter was placed.",
        "Crohn's disease, Graves' disease, Tourette syndrome and Bell palsy were denied.",
        "Babinski negative, Romberg negative, Murphy's sign absent, Kernig's sign present.",
        "Epstein-Barr virus, Guillain-Barré syndrome and von Willebrand disease.",
        "BP 120/80, pain 5/10, strength 4/5, GCS 14/15, visual acuity 20/40.",
        "Percocet 5/325, Sinemet 25/100 and Advair 250/50 were continued.",
        "TP53, BRCA1, c.942+3A>T and p.V617F; CD4/CD8 0.8; HbA1c 7.1.",
        "Sodium 133 (136-145), potassium 5.2, platelets 150000, creatinine 1.3.",
        "In 2015 and from 1998 to 2004 she smoked; in 2019 she stopped.",
        "A 72-year-old woman, 61.2 kg, 98 percent, heart rate 92.",
        "Temp 99 F, Tmax: 102F, T was 98F, temperature up to 101 F, then 98 F (37 C), 98F orally.",
        "She walked 100 M; 95 M cells; a cost of $120M; 98°F; 92 mM; G93A; 98 F/C.",
        "Will she rose to the challenge? She may march on; grace and hope remain.",
        "Escherichia coli, S. aureus, C. difficile and E. coli grew.",
        "The trial NCT01369329 (PMID 23456789) was negative.",
        "Vancomycin 1250 mg every 12 hours, day 4/7, refills 3/5.",
        "Seen in Ohio, later in Germany.",
        "version 4.2.1.0 and EC 2.4.2.30 at 12:30:45",
        "May 5 mg be given? Up to 3 may be tried, section 1.2.24, since spring.",
        "Aged 92 days; turned 90 degrees; pt is 95 kg, he is 100 meters away, BP in the 90s.",
        "At age 94 months; lived 95 days; a hundred times; Patients (94) were enrolled.",
        "Born in 1952, and at 34 weeks in the 95th percentile.",
        "Norepinephrine @ 5 mg/min, @L4, @day3, @bed12, @home and @room204; O2 @2L.",
        "Change +1.2345678, +2 and +10 20; at 0045 1215 checked; dose 0040 20 30 mg.",
        "Pi is 3.14. Then INR on 3.14. Section 2.4. Potassium after 4.2. Hgb last 14.3.",
        "Ratio 44.97, -93.26; beta 0.97781, -0.26501; (12.34567, 45.67891) by 5.",
        "A lot 10000 times; lots of 12345; whole lot 1000; Lot 12; job 5 of 2019; job: nurse.",
        "IL-6 at 44.9778 pg/ml, 93.2650 pg/ml; lat 1.25, 2.50 cm; long 12.50.",
        "In the order of 120-135 mmHg; report of 12345 mmol; order 12345 lbs; no 10000 grams.",
        "Policy of 2015; 45 mg given; group 2 of 3; Patient number 12 in a series; pt #3.",
        "signed: yes, signed: n/a; reviewed: ok; typed: AB; signed by him; dictated by phone.",
        "H.I.V. and q.i.d.; given by I.V. and by P.O.; U.S. and p.o. b.i.d.",
        "Facebook: denies; uses Instagram daily; Twitter user; FB: none; IG: 12.5; signal: normal.",
        "Pain at rest dot blot; ICD-10 E11.9, C50.911; rs12345, PMID: 12345678, IL2RA, HLA-B27.",
        "She takes Yasmin daily; started on Camila 0.35 mg tablets; contraception: Yasmin.",
    ],
)
def test_what_looks_like_an_identifier_stays(text: str) -> None:
    assert found(text) == []


STATES = ["TX", "CA", "NY", "GA", "OH", "FL", "ME", "DC", "Texas", "New York"]
PLATES = ["BKR-4471", "7ABC123", "ABC-1234", "ABC1234", "ABC 1234", "QJX D42", "D12-ABC"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("between", [" ", ", ", "-", ": "])
def test_the_state_may_stand_before_a_plate(state: str, between: str) -> None:
    for plate in PLATES:
        for label in ("License plate: ", "plate ", "Plate: ", "tag ", "license plate number "):
            value = f"{state}{between}{plate}"
            assert found(f"{label}{value} seen") == [("VEHICLE", value)]
        assert "ABC" not in str(Deidentifier().deidentify(f"Plate ({state}) {plate}").document.text)


@pytest.mark.parametrize(
    "text",
    ["plate 4 holes", "plates 3.5 mm", "tag 2", "skin tag 4 mm", "growth plate", "a TX plate held"],
)
def test_a_plate_of_bone_is_none_of_a_vehicle(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "place",
    [
        "Precinct 12",
        "Voting precinct 0432",
        "precinct no. 7",
        "12th precinct",
        "Census tract 1234.05",
        "census block group 3",
        "block group 3",
        "congressional district 7",
    ],
)
def test_a_numbered_area_is_a_place(place: str) -> None:
    assert found(f"of {place}, seen") == [("LOCATION", place)]


@pytest.mark.parametrize(
    "text",
    [
        "ward 5B",
        "Ward 12, bed 3; ICU bed 12",
        "heart block 2:1",
        "nerve block 3",
        "tract 3",
        "G2P1001 at term",
        "MVC, GCS 15",
        "CIRRHOSIS, MELD 22",
        "TLSO P.R.N. OOB",
        "A 58 Y.O. GENTLEMAN",
    ],
)
def test_what_only_resembles_a_place_a_number_or_a_name_stays(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Donor ID 4471.", ["OTHER"]),
        ("Donor ID 44712.", ["OTHER"]),
        ("donor no. 4471", ["OTHER"]),
        ("Recipient # 4471", ["OTHER"]),
        ("Sample ID 44712", ["OTHER"]),
        ("Boise, ID 83702", ["LOCATION", "ZIP"]),
        ("Boise ID 83702", ["LOCATION", "ZIP"]),
        ("Qwyllton, ID 83702", ["LOCATION", "ZIP"]),
        ("kidney donor 2015", []),
        ("donor type O", []),
    ],
)
def test_id_is_idaho_behind_a_town_alone(text: str, kinds: list[str]) -> None:
    assert [kind for kind, _ in found(text)] == kinds


def test_a_name_met_again_is_found_without_its_title() -> None:
    text = "Dr. Feldstein advised rest. Feldstein will call. Wilson disease is not Mr. Wilson."
    assert [one for _, one in found(text)] == ["Feldstein", "Feldstein", "Wilson"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Mr. Will Okwu came. Will denies pain.", ["Will Okwu", "Will"]),
        ("Mr. Will Okwu came. Will's pain is less, Will was well.", ["Will Okwu", "Will", "Will"]),
        ("Mr. Will Okwu came. Will call. Will you rest? Will reports be sent?", ["Will Okwu"]),
        ("Will denies pain. Will was well.", []),
        ("Mr. Will Okwu came. We will see; he will state this.", ["Will Okwu"]),
        ("Ms. June Okwu came in June 2020. June reports pain.", ["June Okwu", "June"]),
        ("Dr. May Lee came. May have soup. May states no.", ["May Lee", "May"]),
        ("Mr. Long came. Long QT. Long denies pain. Long was the day.", ["Long", "Long"]),
    ],
)
def test_a_name_that_is_a_word_is_met_again_where_a_person_speaks(
    text: str, names: list[str]
) -> None:
    assert [one for kind, one in found(text) if kind == "NAME"] == names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("00482 NGUYEN,THI 1950", "NGUYEN,THI"),
        ("later Nguyen, Quyen", "Nguyen"),
        ("LISINOPRIL,METFORMIN and AST,ALT and CT,MRI", None),
        ("skin WHITE,THIN and LONG,LEAN", None),
    ],
)
def test_a_surname_before_its_given_name(text: str, name: str | None) -> None:
    assert [one for kind, one in found(text) if kind == "NAME"] == ([name] if name else [])


def test_offsets_stand_where_a_letter_grows_in_lower_case() -> None:
    text = "İİİ Mrs. Sullivan"
    assert found(text) == [("NAME", "Sullivan")]


PLAIN = "Dr. Feldstein rang (617) 555-0143 on March 14, 2024; SSN 412-55-7790, a 93-year-old."


@pytest.mark.parametrize(("plain", "other"), [(" ", "\u00a0"), (" ", "\u2009"), ("-", "\u2011")])
def test_other_spaces_and_hyphens_hide_nothing(plain: str, other: str) -> None:
    given = PLAIN.replace(plain, other)
    expected = [(kind, one.replace(plain, other)) for kind, one in found(PLAIN)]
    assert [kind for kind, _ in expected] == ["NAME", "PHONE", "DATE", "SSN", "AGE"]
    assert found(given) == expected


@pytest.mark.parametrize(
    ("kind", "before", "identifier"),
    [
        ("NAME", "She was seen in the clinic this morning by Dr.\n", "Feldstein"),
        ("PHONE", "Please call the daughter, who lives near, at ", "617\n555-0143"),
        ("DATE", "She was admitted to this hospital again on ", "March\n14, 2024"),
    ],
)
def test_what_stands_across_a_wrapped_line_is_found(
    kind: str, before: str, identifier: str
) -> None:
    assert found(f"{before}{identifier} and was told so.") == [(kind, identifier)]


def test_short_lines_are_not_joined() -> None:
    assert found("Provider\nWarfarin 5 mg\nReferred by Dr.\nAspirin 81 mg") == []


def test_nothing_overlaps_and_everything_is_in_order() -> None:
    text = (
        "Fax (617) 555-0199 x12; a.lee@mail.example.org; https://x.example/1.jpg 3/4/2024-3/6/2024"
    )
    hits = find_identifiers(text)
    assert all(one.end <= two.start for one, two in pairwise(hits))


PIECES = st.one_of(
    st.text(max_size=8),
    st.text(st.characters(categories=["Nd", "No"]), max_size=12),
    st.sampled_from(
        [
            "Mr. ",
            "MRN: ",
            "@",
            "/",
            "-",
            ".",
            " ",
            "\n",
            "SSN ",
            "(01)",
            "Lee",
            "https://",
            "May ",
            ":",
        ]
    ),
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_read_and_only_identifiers_change(text: str) -> None:
    done = Deidentifier(replacement="surrogates").deidentify(text)
    place, rest = 0, []
    for one in done.found:
        assert place <= one.start < one.end <= len(text)
        rest += [text[place : one.start], one.surrogate]
        place = one.end
    assert done.document.text == "".join([*rest, text[place:]])


def test_check_digits() -> None:
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")
    assert luhn("80840" + "1234567893")
    assert iban("gb82west12345698765432")
    assert not iban("gb82west12345698765433")
    assert vin("1m8gdm9axkp042788")
    assert not vin("1m8gdm9a1kp042788")
    assert drug_enforcement("1188273")
    assert not drug_enforcement("1188274")
