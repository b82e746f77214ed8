"""A model of names beside the rules: what it adds, and which of its answers are no names."""

import re

import pytest

from biobert import Deidentifier, Document, Entity


def text_of(deidentifier: Deidentifier, text: str) -> str:
    return deidentifier.deidentify(text).document.text


def test_a_model_adds_what_the_rules_do_not_know() -> None:
    def tagger(text: str) -> Document:
        start = text.find("Qwyllander")
        end = start + len("Qwyllander")
        return Document("1", text, entities=(Entity(start, end, "PERSON", score=0.9),))

    text = "Yesterday Qwyllander was dizzy."
    assert text_of(Deidentifier(), text) == text
    assert text_of(Deidentifier(names=tagger), text) == "Yesterday [NAME] was dizzy."


def test_a_model_may_find_every_kind() -> None:
    labels = {
        "qw": "MEDICALRECORD", "zx": "Street", "ty": "LOCATION-OTHER", "ui": "IDNUM",
        "2019": "DATE", "thrice": "DATE", "88": "AGE", "97": "AGE", "baker": "PROFESSION",
    }  # fmt: skip

    def tagger(text: str) -> Document:
        spans = ((text.index(word), len(word), label) for word, label in labels.items())
        entities = [Entity(start, start + length, label) for start, length, label in spans]
        return Document("1", text, entities=tuple(entities))

    assert text_of(Deidentifier(names=tagger), " ".join(labels)) == (
        "[MEDICAL_RECORD] [LOCATION] [LOCATION] [OTHER] 2019 [DATE] 88 [AGE] baker"
    )


def calls_all_names(text: str) -> Document:
    """A tagger that takes every line for a name."""
    lines = re.finditer(r"[^\n]+", text)
    return Document("1", text, entities=tuple(Entity(*one.span(), "PERSON") for one in lines))


@pytest.mark.parametrize(
    "word",
    [
        "Keflex", "TAPAZOLE", "azilect", "Rituximab", "atorvastatin", "cefuroxime", "Kaposi",
        "Crohn", "Parkinson", "Alzheimer", "wean", "Orthopedics", "cont Miralax", "C", "b.", "CBC",
        "ambulates", "Ambu", "Lambert-Eaton", "Lambert\u2013Eaton", "Guillain-Barr\u00e9", "THA",
        "Stryker Trident", "lamplighter", "Christian faith", "Foley catheter", "Buddhist",
        "T2DM", "dm2", "L4-L5", "G2P1", "SpO2", "1800 ADA", "MI", "CVA", "CABG", "DVT", "HTN",
        "ESRD", "b.i.d.", "q.4h.", "p.r.n.", "q.h.s.", "gentleman", "62 y.o. man", "3 p.m.",
        "Mirabilis", "L. Pneumophila", "V. Tach", "MS Contin",
        "Cholecystitis", "Osteotomy", "hemiparesis", "Consolidation", "Vietnamese",
    ],
)  # fmt: skip
def test_what_a_model_takes_from_clinical_language_stays(word: str) -> None:
    assert text_of(Deidentifier(names=calls_all_names), word) == word


@pytest.mark.parametrize(
    "word",
    [
        "Qwyllander",
        "Grace",
        "foley",
        "J. K.",
        "Ann Crohn",
        "Kaplan",
        "T. Okonkwo",
        "JK",
        "Christian Okwu",
        "April",
        "Zemaitis",
        "Mattingly",
        "Eaton",
        "Lambert-Jones",
        "Will",
    ],
)
def test_what_may_be_a_name_goes_where_a_model_says_so(word: str) -> None:
    assert text_of(Deidentifier(names=calls_all_names), word) == "[NAME]"


@pytest.mark.parametrize("behind", [" catheter", "'s disease", " and rest", "'s foot", " chart"])
def test_what_follows_tells_an_eponym_from_a_name(behind: str) -> None:
    def tagger(text: str) -> Document:
        return Document("1", text, entities=(Entity(0, 5, "PERSON"),))

    is_eponym = behind in (" catheter", "'s disease")
    done = text_of(Deidentifier(names=tagger), f"Foley{behind}")
    assert done == ("Foley" if is_eponym else "[NAME]") + behind


def tagged(text: str, mention: str, label: str) -> str:
    """The text without what a tagger calls so, which is all that it finds."""

    def tagger(given: str) -> Document:
        start = given.index(mention)
        return Document("1", given, entities=(Entity(start, start + len(mention), label),))

    return text_of(Deidentifier(names=tagger), text)


@pytest.mark.parametrize(
    ("text", "mention", "label", "done"),
    [
        ("back in April again", "April", "PERSON", "back in [DATE] again"),
        ("since April's call", "April", "PERSON", "since [NAME]'s call"),
        ("April rang", "April", "PERSON", "[NAME] rang"),
        ("well in June again", "June", "CITY", "well in [DATE] again"),
        ("in March of 2019", "March of 2019", "CITY", "in [DATE]"),
        ("May repeat in an hour", "May", "PERSON", "May repeat in an hour"),
        ("May rang", "May", "PERSON", "[NAME] rang"),
        ("of Christian faith", "Christian", "PERSON", "of Christian faith"),
        ("told Christian so", "Christian", "PERSON", "told [NAME] so"),
        ("she takes Zorabel daily", "Zorabel", "PERSON", "she takes Zorabel daily"),
        ("takes Zorabel daily to school", "Zorabel", "PERSON", "takes [NAME] daily to school"),
        ("see J.K.R. now", "J.K.", "PERSON", "see [NAME] now"),
        ("see Qwyllander J.K. now", "Qwyllander", "PERSON", "see [NAME] now"),
        ("see Qwyllander, M.D. now", "Qwyllander", "PERSON", "see [NAME], M.D. now"),
        ("see J.K. Then rest", "J.K.", "PERSON", "see [NAME] Then rest"),
        ("7 QWYLL,ADA F", "QWYLL", "PERSON", "7 [NAME] F"),
        ("7 QWYLL,CBC F", "QWYLL", "PERSON", "7 [NAME],CBC F"),
        ("a 62 y.o. man", "62 y.o.", "CITY", "a 62 y.o. man"),
        ("a 58 y.o. gentleman", "o. gentleman", "PERSON", "a 58 y.o. gentleman"),
        ("a 68 yr old man", "68", "CITY", "a 68 yr old man"),
        ("pt 19 y. o. man", "19 y.", "PERSON", "pt 19 y. o. man"),
        ("6 mo. old girl", "6 mo", "PERSON", "6 mo. old girl"),
        ("at 3 p.m. today", "3 p.m.", "CITY", "at 3 p.m. today"),
        ("at 3:30 pm today", "30 pm", "CITY", "at 3:30 pm today"),
        ("given p.r.n. pain", "p.r.n", "CITY", "given p.r.n. pain"),
        ("given p.r.n. pain", "p.r.", "PERSON", "given p.r.n. pain"),
        ("drops t.i.d. now", "t.i", "PERSON", "drops t.i.d. now"),
        ("Qwyll 81 y.o. rang", "Qwyll 81 y.o.", "PERSON", "[NAME] 81 y.o. rang"),
        ("58 y.o. Qwyll rang", "58 y.o. Qwyll", "PERSON", "58 y.o. [NAME] rang"),
        ("at 3 p.m. Qwyll rang", "p.m. Qwyll", "PERSON", "at 3 p.m. [NAME] rang"),
        ("Qwyll, 58 y.o., rang", "Qwyll, 58 y.o.", "PERSON", "[NAME], 58 y.o., rang"),
        ("at 12 Qwyll Way, 3 p.m.", "12 Qwyll Way, 3", "STREET", "at [LOCATION], 3 p.m."),
    ],
)  # fmt: skip
def test_what_stands_around_a_mention_tells_what_it_is(
    text: str, mention: str, label: str, done: str
) -> None:
    assert tagged(text, mention, label) == done


def test_the_given_name_that_a_model_found_is_looked_for_again() -> None:
    text = "Will Qwyll is 45. Qwyll rests; Will denies pain. Will call."
    assert tagged(text, "Will Qwyll", "PERSON") == (
        "[NAME] is 45. [NAME] rests; [NAME] denies pain. Will call."
    )
    assert (
        tagged("Will came. Will denies pain.", "Will", "PERSON") == "[NAME] came. Will denies pain."
    )


def test_an_institution_of_plain_words_goes() -> None:
    def tagger(text: str) -> Document:
        return Document("1", text, entities=(Entity(3, len(text), "HOSPITAL"),))

    made = Deidentifier(names=tagger)
    assert text_of(made, "at women's health center") == "at [LOCATION]"
    assert text_of(made, "at clinic") == "at clinic"
