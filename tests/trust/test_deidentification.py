"""Documents without their identifiers: tags, surrogates, shifted dates, annotations that move."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any

import pytest

from biobert import Deidentifier, Document, Entity
from biobert.core.document import Passage, Relation, Span
from biobert.core.errors import BadInputError
from biobert.trust.surrogates import RESTRICTED_ZIP_PREFIXES, words_like

KEY = b"a key of sixteen bytes or more"
TEXT = "Mrs. Sullivan was seen on 3/14/2024 and again on 3/21/2024. Sullivan takes warfarin."


def surrogates(**settings: Any) -> Deidentifier:
    return Deidentifier(replacement="surrogates", key=KEY, **settings)


def text_of(deidentifier: Deidentifier, text: str, **more: Any) -> str:
    return deidentifier.deidentify(text, **more).document.text


def test_tags_stand_in_the_place_of_identifiers() -> None:
    done = Deidentifier().deidentify(TEXT)
    assert done.document.text == (
        "Mrs. [NAME] was seen on [DATE] and again on [DATE]. [NAME] takes warfarin."
    )
    assert [one.kind for one in done.found] == ["NAME", "DATE", "DATE", "NAME"]
    first = done.found[0]
    assert TEXT[first.start : first.end] == "Sullivan"
    assert first.surrogate == "[NAME]"


def test_what_was_found_does_not_hold_the_identifiers() -> None:
    for deidentifier in (Deidentifier(), surrogates()):
        assert "Sullivan" not in repr(deidentifier.deidentify(TEXT))
        assert "3/14" not in repr(deidentifier.deidentify(TEXT))
        assert KEY.decode() not in repr(vars(deidentifier)) + repr(deidentifier)


def test_annotations_stay_with_their_words() -> None:
    start = TEXT.index("warfarin")
    name = TEXT.index("Sullivan")
    document = Document(
        "7",
        TEXT,
        passages=(Passage(0, len(TEXT), "section", "Visit of Mrs. Sullivan", {"by": "Dr. Katz"}),),
        entities=(
            Entity(name, name + 8, "Person", id="T1"),
            Entity(start, start + 8, "Chemical", id="T2"),
        ),
        relations=(Relation("takes", ()),),
        sentences=(Span(0, 59), Span(60, len(TEXT))),
        metadata={"attending": "Dr. Feldstein", "ward": "4"},
    )
    done = Deidentifier().deidentify(document).document
    assert [done.mention(one) for one in done.entities] == ["[NAME]", "warfarin"]
    assert done.passages[0].end == len(done.text)
    assert done.passages[0].heading == "Visit of Mrs. [NAME]"
    assert done.passages[0].metadata == {"by": "Dr. [NAME]"}
    assert done.metadata == {"attending": "Dr. [NAME]", "ward": "4"}
    assert done.text[done.sentences[1].start :] == "[NAME] takes warfarin."
    assert done.id == "7"


def test_the_name_of_metadata_tells_what_they_are() -> None:
    metadata = {"patient": "Wojciechowska", "mrn": "482913", "homePhone": "555-0143", "ward": "4"}
    passage = Passage(0, 4, "section", metadata={"account": "8827364"})
    document = Document("1", "Seen", passages=(passage,), metadata=metadata)
    done = Deidentifier().deidentify(document)
    assert done.document.metadata == {
        "patient": "[NAME]",
        "mrn": "[MEDICAL_RECORD]",
        "homePhone": "[PHONE]",
        "ward": "4",
    }
    assert done.document.passages[0].metadata == {"account": "[ACCOUNT]"}
    assert done.found == ()
    assert {(one.field, one.start, one.end) for one in done.beside_text} == {
        ("metadata.patient", 0, 13),
        ("metadata.mrn", 0, 6),
        ("metadata.homePhone", 0, 8),
        ("passages.0.metadata.account", 0, 7),
    }


def test_kinds_and_labels_are_searched_too() -> None:
    kind = "Note of Dr. Feldstein 3/14/2024"
    document = Document(
        "Dr. Feldstein",
        "Seen. Well.",
        (Passage(0, 5, kind), Passage(6, 11, kind), Passage(6, 11, "abstract")),
        labels=("seen by Dr. Okonkwo", "well"),
        label_scores={"well": 0.9, "seen by Dr. Okonkwo": 0.8, "Dr. Feldstein": 0.1},
        entities=(Entity(0, 4, "Dr. Feldstein", ("x:Dr. Feldstein",), id="Dr. Feldstein"),),
    )
    done = Deidentifier().deidentify(document)
    clean = done.document
    kinds = ["Note of Dr. [NAME] [DATE]"] * 2 + ["abstract"]
    assert [one.kind for one in clean.passages] == kinds
    assert clean.labels == ("seen by Dr. [NAME]", "well")
    assert clean.label_scores == {"well": 0.9, "seen by Dr. [NAME]": 0.8, "Dr. [NAME]": 0.1}
    assert (clean.id, clean.entities) == (document.id, document.entities)
    places = ["labels.0", "labels.2", *(f"passages.{n}.kind" for n in (0, 0, 1, 1))]
    assert [one.field for one in done.beside_text] == places


def test_what_is_said_of_many_passages_is_searched_once() -> None:
    asked = []

    def tagger(text: str) -> Document:
        asked.append(text)
        return Document("1", text)

    passages = tuple(Passage(number, number + 1, "section") for number in range(4))
    Deidentifier(names=tagger).deidentify(Document("1", "Seen", passages, labels=("Seen",)))
    assert asked == ["Seen", "Seen", "section"]


def test_a_search_ends_where_its_check_says_so() -> None:
    class EnoughError(Exception):
        pass

    left = iter(range(5))

    def check() -> None:
        if next(left, None) is None:
            raise EnoughError

    with pytest.raises(EnoughError):
        Deidentifier(check=check).deidentify("Dr. Okonkwo rang.")


def test_metadata_that_are_no_text_are_searched_too() -> None:
    metadata: Any = {"mrn": 482913, "beds": 4, "phones": ["617-555-0143", 7]}
    done = Deidentifier().deidentify(Document("1", "Seen", metadata=metadata)).document
    assert done.metadata == {"mrn": "[MEDICAL_RECORD]", "beds": 4, "phones": '["[PHONE]", 7]'}


def test_metadata_in_lists_and_objects_are_known_by_their_names() -> None:
    metadata: Any = {"mrn": ["482913"], "patient": {"name": "Okonkwo", "mrn": "482913", "beds": 4}}
    done = Deidentifier().deidentify(Document("1", "Seen", metadata=metadata)).document
    assert done.metadata == {
        "mrn": '["[MEDICAL_RECORD]"]',
        "patient": '{"name": "[NAME]", "mrn": "[MEDICAL_RECORD]", "beds": 4}',
    }


NESTED = [
    {"history": ["Seen.\nMRN: 48291\n3/14/2024 follow-up\nSSN\t123-45-6789"]},
    {"note": 'line\n(617) 555-0199, "Dr. Okonkwo" \\ rang\r\nMRN: 48291'},
    {"list": ["\\", "Seen.\nOkonkwo, Mary", "\\Mrs. Sullivan\\n", "no\nname"]},
]


@pytest.mark.parametrize("nested", NESTED)
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_escapes_of_json_hide_nothing_and_stay_whole(nested: Any, ensure_ascii: bool) -> None:
    metadata: Any = {"of": nested, "told": json.dumps(nested, ensure_ascii=ensure_ascii)}
    done = Deidentifier().deidentify(Document("1", "Seen", metadata=metadata)).document
    for clean in done.metadata.values():
        assert json.loads(clean).keys() == nested.keys()
        for hidden in ("48291", "3/14", "6789", "0199", "Okonkwo", "Sullivan"):
            assert hidden not in clean
        for kept in ("Seen", "follow-up", "line", "rang", "name"):
            assert (kept in clean) == (kept in str(nested))


def test_what_stands_for_a_number_of_json_is_in_quotes() -> None:
    metadata: Any = {"mrn": [482913, 4], "patient": {"mrn": 482913, "name": "Okonkwo"}}
    done = Deidentifier().deidentify(Document("1", "Seen", metadata=metadata)).document.metadata
    assert json.loads(done["mrn"]) == ["[MEDICAL_RECORD]", 4]
    assert json.loads(done["patient"]) == {"mrn": "[MEDICAL_RECORD]", "name": "[NAME]"}
    plain = Document("1", "Seen", metadata={"by": "[MRN 482913]"})
    assert Deidentifier().deidentify(plain).document.metadata == {"by": "[MRN [MEDICAL_RECORD]]"}


def test_a_model_replaces_no_sign_of_json() -> None:
    def calls_all_a_name(text: str) -> Document:
        return Document("1", text, entities=(Entity(0, len(text), "PERSON"),))

    metadata: Any = {"by": {"first": 'Qwyll\n"Zx"', "last": "\u00c9ry \\ Vb"}}
    made = Deidentifier(names=calls_all_a_name)
    clean = made.deidentify(Document("1", "Seen", metadata=metadata)).document.metadata["by"]
    assert json.loads(clean)
    assert "Qwyll" not in clean
    assert "Vb" not in clean


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_wrapped_lines_are_joined_to_be_searched(line_end: str) -> None:
    text = "Seen.{0}The patient was brought to the clinic this morning by Dr.{0}Okonkwo and left."
    done = text_of(Deidentifier(), text.format(line_end))
    assert done == text.replace("Okonkwo", "[NAME]").format(line_end)


def test_the_patient_is_always_replaced_in_metadata() -> None:
    document = Document("1", "Seen", metadata={"key": "qwx 7", "ward": "4"})
    done = Deidentifier().deidentify(document, patient="qwx 7").document
    assert done.metadata == {"key": "[OTHER]", "ward": "4"}


def test_a_document_is_read_in_one_way_all_over() -> None:
    document = Document("1", "Seen 14/03/2024 and 04/05/2024.", metadata={"admitted": "04/05/2024"})
    done = surrogates().deidentify(document).document
    assert done.text.endswith(f" and {done.metadata['admitted']}.")


def test_a_date_with_other_spaces_is_moved() -> None:
    text = "Seen on March\u00a014,\u00a02024."
    done = text_of(surrogates(), text)
    assert re.fullmatch(r"Seen on \w+ \d+, \d+\.", done.replace("\u00a0", " "))
    assert done != text


def test_a_person_keeps_one_surrogate() -> None:
    text = "Name: SULLIVAN, MARGARET\nMrs. Sullivan and Margaret Sullivan; Ms. Kowalczyk."
    done = text_of(surrogates(), text)
    surname, given = re.match(r"Name: ([A-Z]+), ([A-Z]+)\n", done).groups()  # type: ignore[union-attr]
    assert f"Mrs. {surname.capitalize()} and {given.capitalize()} {surname.capitalize()}" in done
    assert "ullivan" not in done.lower()
    assert surname.capitalize() not in done.partition("Ms.")[2]


def test_a_key_gives_the_same_surrogates_and_another_key_others() -> None:
    other = Deidentifier(replacement="surrogates", key=b"another key of sixteen bytes")
    assert text_of(surrogates(), TEXT) == text_of(surrogates(), TEXT)
    assert text_of(surrogates(), TEXT) != text_of(other, TEXT)


def test_without_a_key_every_object_has_its_own() -> None:
    one, two = (Deidentifier(replacement="surrogates") for _ in range(2))
    long = TEXT + " MRN 00918827364. Call (617) 555-0143."
    assert text_of(one, long) == text_of(one, long)
    assert text_of(one, long) != text_of(two, long)


def test_dates_of_a_patient_keep_their_intervals() -> None:
    def dates(text: str) -> list[date]:
        return [
            datetime.strptime(one, "%m/%d/%Y").date() for one in re.findall(r"\d+/\d+/\d{4}", text)
        ]

    old, new = dates(TEXT), dates(text_of(surrogates(), TEXT))
    assert (new[1] - new[0]).days == 7
    assert -364 <= (new[0] - old[0]).days <= -1
    weekly = dates(text_of(surrogates(date_unit="weeks"), TEXT))
    assert [one.weekday() for one in weekly] == [one.weekday() for one in old]


def test_a_date_of_birth_that_tells_an_age_over_89_gets_no_surrogate() -> None:
    text = "DOB 3/14/1931 and 3/14/32, sister 3/14/1950. Seen 3/14/2024."
    found = re.fullmatch(
        r"DOB \[DATE\] and \[DATE\], sister \d+/\d+/19(50|49)\. Seen [\d/]+\.",
        text_of(surrogates(), text),
    )
    assert found


def test_documents_of_a_patient_share_a_shift() -> None:
    made = surrogates()
    texts = [
        made.deidentify(Document(name, TEXT), patient=patient).document.text
        for name, patient in [("a", "p"), ("b", "p"), ("a", None), ("b", None)]
    ]
    assert texts[0] == texts[1]
    assert texts[2] != texts[3]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a 93-year-old man", r"a 90\+-year-old man"),
        ("Columbus, OH 43214", r"\w[\w .-]*, OH 43200"),
        ("Bethel, CT 06301", r"\w[\w .-]*, CT 00000"),
        ("SSN 412-55-7790", r"SSN 000-\d\d-\d{4}"),
        ("call (617) 234-0143", r"call \(\d{3}\) 555-\d{4}"),
        ("MRN AB-00482", r"MRN [A-Z]{2}-\d{5}"),
        ("mail a.lee@mail.example.com", r"mail person\d{6}@example\.org"),
        ("from 192.168.40.12", r"from 192\.0\.2\.\d+"),
        ("from 2001:db8:85a3::8a2e:370:7334", r"from 2001:db8::[0-9a-f]+"),
        ("see lee_face.JPG", r"see image-\d{6}\.JPG"),
        ("see https://clinic.example/lee", r"see https://example\.org/\d{6}"),
        ("at 800 Olentangy Road", r"at \d+ [A-Z]\w+ Street"),
        ("to Riverside Methodist Hospital", r"to [A-Z]\w+ Hospital"),
        ("on Thanksgiving", r"on \[DATE\]"),
        ("seen on 27.02. again", r"seen on \d\d\.(?:0\d|1[012])\. again"),
        ("GPS 44.9778, -93.2650", r"GPS 00\.0000, -00\.0000"),
        ("Prof. Lane.", r"Prof\. [A-Z][a-z]+\."),
        ("prof. lane.", r"prof\. [a-z]+\."),
        ("PROF. LANE", r"PROF\. [A-Z]{2,}"),
        ("from dr. j. wexler, md", r"from dr\. [a-z]\. [a-z]+, md"),
        ("Mrs. de la Okwu", r"Mrs\. de la [A-Z][a-z]+"),
        ("at MERCY HOSPITAL", r"at [A-Z]+ HOSPITAL"),
    ],
)
def test_a_surrogate_looks_like_what_it_stands_for(text: str, pattern: str) -> None:
    done = text_of(surrogates(), text)
    assert re.fullmatch(pattern, done), done
    assert done != text


@pytest.mark.parametrize(
    ("old", "new", "made"),
    [
        ("riverside hospital", "Northgate Hospital", "northgate hospital"),
        ("RIVERSIDE", "Northgate Medical Center", "NORTHGATE MEDICAL CENTER"),
        ("University of Qwyll", "Eastbrook University", "Eastbrook University"),
        ("Qwyll hospital", "Northgate Hospital", "Northgate hospital"),
        ("12", "Maple Street", "Maple Street"),
    ],
)
def test_surrogates_have_the_case_of_what_they_stand_for(old: str, new: str, made: str) -> None:
    assert words_like(old, new) == made


def test_the_restricted_areas_are_those_of_the_guidance() -> None:
    assert len(RESTRICTED_ZIP_PREFIXES) == 17
    assert {"036", "102", "893"} <= RESTRICTED_ZIP_PREFIXES


def test_the_callers_entities_are_no_names_from_a_list() -> None:
    text = "Given Jacobson cream; Mrs. Jennifer Alvarez agreed. Elliott solution."
    start = text.index("Elliott")
    document = Document("1", text, entities=(Entity(start, start + 16, "Chemical"),))
    assert "Elliott" not in Deidentifier().deidentify(document).document.text
    kept = Deidentifier(veto_labels=["Chemical"]).deidentify(document).document.text
    assert "Elliott solution" in kept
    assert "Alvarez" not in kept


def test_many_threads_may_share_one() -> None:
    made = surrogates()
    texts = [
        f"Mr. Sullivan, MRN 0048{number:04d}, seen 3/{number % 28 + 1}/2024."
        for number in range(200)
    ]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda one: text_of(made, one), texts)) == [
            text_of(surrogates(), one) for one in texts
        ]


def test_an_empty_text_is_left_alone() -> None:
    assert Deidentifier().deidentify("").found == ()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"replacement": "tag"}, "surrogates, tags"),
        ({"date_unit": "months"}, "days, weeks"),
        ({"key": b"short"}, "5 bytes"),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        Deidentifier(**settings)


def test_it_needs_no_torch_and_no_model() -> None:
    code = (
        "import sys; from biobert import Deidentifier; Deidentifier().deidentify('Mr. Lee'); "
        "assert not {'torch', 'transformers', 'openvino'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "text",
    ["from 10/12 until 10/15", "10/12 - 10/15", "10/12\u201310/15/2023", "Stay 10/12-10/15."],
)
def test_both_halves_of_a_range_move_by_as_many_days(text: str) -> None:
    months_and_days = re.findall(r"(\d\d?)/(\d\d?)", text_of(surrogates(), text))
    first, last = (date(2023, int(month), int(day)) for month, day in months_and_days)
    assert (last - first).days == 3
    assert (first.month, first.day) != (10, 12)


def test_both_months_of_a_range_move_alike() -> None:
    done = text_of(surrogates(), "May - June 2022").split()
    first, last = (datetime.strptime(one, "%B").month for one in (done[0], done[2]))
    assert (last - first) % 12 == 1
    assert done[0] != "May"


def test_a_numbered_area_keeps_its_word() -> None:
    done = text_of(surrogates(), "Voting precinct 0432")
    assert re.fullmatch(r"Voting precinct \d{4}", done)
    assert not done.endswith("0432")
