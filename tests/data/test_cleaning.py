"""What is mended, what is cut out and what is dropped before text is learnt from."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Document, Entity, Passage, Span
from biobert.core.errors import BadInputError
from biobert.data import cleaning
from biobert.data.cleaning import (
    FUNCTION_WORDS,
    FilterSettings,
    cleaned,
    language_of,
    reason_to_drop,
    unreadable,
)
from biobert.data.licences import LICENCES, licence_of
from tests.data.articles import prose

CC_BY = {"licence": "cc-by"}
SENTENCES = {
    "en": prose(1),
    "da": "Behandlingen blev givet til patienter med diabetes, og vi undersøgte effekten på "
    "blodtryk og nyrefunktion. Resultaterne viste, at risikoen for indlæggelse er lavere "
    "efter et år.",
    "de": "Die Wirkung der Therapie wurde an einer Gruppe von Patienten mit Diabetes untersucht, "
    "die in der Klinik behandelt wurden und bei denen eine Besserung eintrat.",
    "es": "El objetivo del estudio fue evaluar la eficacia del tratamiento en los pacientes con "
    "diabetes. Las complicaciones fueron más frecuentes en el grupo control y la mortalidad "
    "no varió.",
    "fr": "L'objectif de cette étude était d'évaluer les effets du traitement chez les patients "
    "atteints de diabète. Une amélioration est observée dans le groupe traité et les "
    "complications ont diminué.",
    "hu": "A vizsgálat célja az volt, hogy felmérje a kezelés hatását és biztonságosságát. Az "
    "eredmények alapján a kockázat csökkent, és egy év után sem volt különbség a csoportok "
    "között.",
    "it": "Lo scopo dello studio è valutare gli effetti della terapia nei pazienti con diabete. "
    "Il rischio di complicanze è diminuito nel gruppo trattato e la durata della degenza è "
    "rimasta uguale.",
    "nl": "Het doel van dit onderzoek was het effect van de behandeling te bepalen bij patiënten "
    "met diabetes. De complicaties werden niet vaker gezien dan in een groep met placebo.",
    "no": "Behandlingen ble gitt til pasienter med diabetes, og vi undersøkte effekten av "
    "legemidlet på blodtrykket. Det er ikke grunn til å tro at risikoen øker etter ett år.",
    "pl": "Celem pracy była ocena skuteczności leczenia w grupie chorych z cukrzycą. Wyniki "
    "wskazują, że ryzyko powikłań jest mniejsze, a śmiertelność nie różni się w obu "
    "grupach.",
    "pt": "O objetivo do estudo foi avaliar o efeito do tratamento em pacientes com diabetes. Os "
    "resultados mostraram uma redução do risco e não foram observadas complicações pelo uso "
    "dos fármacos.",
    "ro": "Scopul studiului este evaluarea efectului tratamentului la pacienții cu diabet și "
    "hipertensiune. Riscul a fost mai mic în grupul tratat, iar rezultatele sunt valabile "
    "pentru ambele sexe.",
    "sv": "Syftet med studien var att undersöka effekten av behandlingen hos patienter med "
    "diabetes. Det är inte visat att risken för komplikationer minskar, och fler studier "
    "behövs för att avgöra det.",
    "tr": "Bu çalışmanın amacı diyabet hastalarında tedavinin etkisini ve güvenliğini "
    "araştırmaktır. Komplikasyonlar daha az görüldü ve bir yıl sonra gruplar arasında fark "
    "bulunmadı.",
}


def clean(text: str, *passages: Passage) -> Document:
    return cleaned(Document("1", text, passages), Counter())


def texts_of(document: Document) -> list[str]:
    return [document.text[one.start : one.end] for one in document.passages]


def passages(*parts: tuple[str, str]) -> Document:
    """Passages with a heading and a text."""
    text, found = "", []
    for heading, part in parts:
        found.append(Passage(len(text), len(text) + len(part), "body", heading))
        text += part + "\n"
    return Document("1", text, tuple(found))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a  b\tc\nd", "a b c d"),
        ("first\n\nsecond  one\n\n\n\n third", "first\nsecond one\nthird"),
        ("first\r\n\r\nsecond\r\none\n \r\nthird", "first\nsecond one\nthird"),
        ("beta\u00adblocker zero\u200bwidth \ufeffmark", "betablocker zerowidth mark"),
        ("nul\x00byte bad\ufffdbyte \ud800 lone \ue000 private", "nul byte bad byte lone private"),
        ("thin\u2009space no\u00a0break line\u2028end", "thin space no break line end"),
        ("naïve ≥5 µg β-blocker", "naïve ≥5 µg β-blocker"),
        ("\n\n \n\n", ""),
    ],
)
def test_blanks_are_folded_and_what_cannot_be_seen_goes(before: str, after: str) -> None:
    document = clean(before)
    assert document.text == after
    assert texts_of(document) == ([] if not after else after.split("\n"))


@given(text=st.text(max_size=200).filter(lambda text: "©" not in text))
def test_no_visible_character_is_lost_and_the_rest_folds_to_blanks(text: str) -> None:
    document = clean(text)
    visible = [one for one in text if one.isprintable() and one not in "\ufffd "]
    assert [one for one in document.text if one.isprintable() and one != " "] == visible
    assert document.text == "\n".join(" ".join(line.split()) for line in document.text.split("\n"))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028]", document.text)


def test_titles_and_paragraphs_keep_their_kind_and_their_own_text() -> None:
    text = "On  lithium\nIt   helps.\n\nMuch."
    document = clean(
        text, Passage(0, 11, "title"), Passage(12, len(text), "abstract", heading="RESULTS")
    )
    assert texts_of(document) == ["On lithium", "It helps.", "Much."]
    found = [(one.kind, one.heading) for one in document.passages]
    assert found == [("title", ""), ("abstract", "RESULTS"), ("abstract", "RESULTS")]


def test_boilerplate_is_cut_out_and_counted() -> None:
    removed: Counter[str] = Counter()
    document = passages(
        ("Results", "Lithium helped."),
        ("Results > Funding", "The ministry paid."),
        ("Authors’ contributions", "AB wrote it."),
        ("Discussion", "The authors declare no competing interests."),
        ("Discussion", "© 2003 The publisher."),
        ("Discussion", f"{prose(1, 12)} All rights reserved. {prose(2)}"),
        ("Reference values", "They are known."),
    )
    kept = cleaned(document, removed)
    assert [one.heading for one in kept.passages] == ["Results", "Discussion", "Reference values"]
    assert removed == {
        "boilerplate section's paragraph": 2,
        "boilerplate paragraph": 1,
        "copyright notice": 2,
    }


@pytest.mark.parametrize(
    ("heading", "kept"),
    [
        ("Disclosure of HIV and social support", True),
        ("Supplementary motor area", True),
        ("Materials and methods (see supplementary information) > Cells", True),
        ("Ethics of embryo research", True),
        ("Conflict of interest statement", False),
        ("Methods > Ethics approval and consent to participate", False),
        ("5. Supplementary data", False),
        ("Acknowledgements and funding", False),
    ],
)
def test_a_heading_that_only_holds_the_word_is_no_boilerplate(heading: str, kept: bool) -> None:
    document = passages((heading, "Lithium helped."))
    assert bool(cleaned(document, Counter()).text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("It helps much. Copyright © 2016 Elsevier Inc. All rights reserved.", "It helps much."),
        ("It helps. © 2016 Wiley Periodicals, Inc.", "It helps."),
        ("We used SPSS (IBM© SPSS© 20). It worked.", "We used SPSS (IBM© SPSS© 20). It worked."),
    ],
)
def test_of_a_paragraph_with_a_notice_the_rest_stays(text: str, kept: str) -> None:
    assert clean(text).text == kept


def test_annotations_go_and_sentences_of_its_own_stay() -> None:
    document = Document(
        "1",
        "Colon  cancer .\nIt grows .",
        entities=(Entity(0, 13, "Disease"),),
        sentences=(Span(0, 15), Span(16, 26)),
    )
    kept = cleaned(document, Counter())
    assert kept.text == "Colon cancer .\nIt grows ."
    assert kept.sentences == (Span(0, 14), Span(15, 25))
    assert not kept.entities


def test_text_outside_of_passages_and_sentences_is_kept_once() -> None:
    text = "On lithium.\nIt helps. It does."
    title = Passage(0, 11, "title")
    document = clean(text, title, Passage(0, 21, "text", heading="Results"))
    assert texts_of(document) == ["On lithium.", "It helps.", "It does."]
    assert [one.heading for one in document.passages] == ["", "Results", ""]
    own = cleaned(Document("1", text, (title,), sentences=(Span(12, 21),)), Counter())
    assert texts_of(own) == ["On lithium.", "It helps.", "It does."]
    assert [own.text[one.start : one.end] for one in own.sentences] == texts_of(own)


@pytest.mark.parametrize("word", ["cancer grows ", "a" * 70])
def test_a_paragraph_without_end_is_cut_and_nothing_is_lost(
    word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "LONGEST_PARAGRAPH", 50)
    text = word * 20
    document = clean(text)
    assert max(one.end - one.start for one in document.passages) <= 50
    assert "".join(document.text.split()) == "".join(text.split())
    assert ("grows cancer" in document.text.replace("\n", " ")) == ("grows" in word)


@pytest.mark.parametrize(
    ("text", "metadata", "reason"),
    [
        (prose(1), {}, None),
        ("Too few words.", {}, "too short"),
        ("x" * 20_000, {}, "not prose"),
        ("1.2 <0.05 (3) [4] 7 = 8 ± 9 | " * 20, {}, "not prose"),
        ("", {}, "too short"),
        (
            "Die Wirkung der Therapie wurde an einer Gruppe von Patienten mit Diabetes untersucht, "
            "die in der Klinik behandelt wurden und bei denen eine Besserung eintrat.",
            {},
            "language de",
        ),
        (
            "De patiënten in de groep werden behandeld met aspirine of met een placebo, en het "
            "effect is na een week in de kliniek onderzocht en was groot in alle gevallen.",
            {"language": "dut"},
            "language nl",
        ),
        # PubMed states the article's language; the abstract is English.
        (prose(2), {"language": "ger"}, None),
    ],
)
def test_what_is_dropped_has_a_reason(
    text: str, metadata: dict[str, str], reason: str | None
) -> None:
    document = clean(text)
    document = Document("1", document.text, metadata=metadata)
    assert reason_to_drop(document, FilterSettings()) == reason


@pytest.mark.parametrize("language", FUNCTION_WORDS)
def test_a_language_is_told_by_its_function_words(language: str) -> None:
    document = clean(SENTENCES[language])
    assert reason_to_drop(document, FilterSettings(languages=(language,))) is None
    assert language_of(document.text.lower().split(), {}) == language


def test_a_neighbour_of_the_known_languages_is_not_taken_for_one() -> None:
    czech = (
        "Cílem studie bylo zhodnotit účinek léčby u pacientů s diabetem a hypertenzí. Riziko "
        "komplikací bylo nižší než v kontrolní skupině, a proto je třeba dalších studií."
    )
    assert language_of(czech.lower().split(), {}) == "??"
    assert language_of(czech.lower().split(), {"language": "cze"}) == "cs"


def test_other_languages_can_be_asked_for() -> None:
    german = "Die Wirkung der Therapie wurde an einer Gruppe von Patienten untersucht. " * 3
    settings = FilterSettings(languages=("de",))
    stated = Document("1", german, metadata={"language": "ger"})
    assert reason_to_drop(stated, settings) is None
    assert reason_to_drop(Document("1", prose(1)), settings) == "language en"
    assert language_of(["none"], {"language": "FR"}) == "fr"
    assert language_of(["none"], {"language": "est"}) == "et"  # Estonian, not Spanish
    assert language_of(["none"], {"language": "eng"}) == "??"


@pytest.mark.parametrize(
    ("statement", "licence"),
    [
        ("http://creativecommons.org/licenses/by/4.0/", "cc-by"),
        ("https://creativecommons.org/licenses/by-nc-nd/3.0/", "cc-by-nc-nd"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "public-domain"),
        ("CC BY 4.0", "cc-by"),
        ("CC BY-NC 4.0", "cc-by-nc"),
        ("cc0", "cc0"),
        ("Creative Commons CC0 public domain dedication", "cc0"),
        ("distributed under the Creative Commons Attribution License", "cc-by"),
        ("Creative Commons Attribution Non-Commercial License", "cc-by-nc"),
        ("Attribution-NonCommercial-NoDerivs", "cc-by-nc-nd"),
        ("Attribution-NonCommercial-ShareAlike", "cc-by-nc-sa"),
        ("Creative Commons Attribution-ShareAlike", "cc-by-sa"),
        ("Creative Commons Attribution-No Derivative Works 3.0", "cc-by-nd"),
        ("Creative Commons Attribution Non Commercial", "cc-by-nc"),
        ("Creative Commons Attribution-Share Alike 3.0", "cc-by-sa"),
        ("Attribution-Noncommercial-No Derivative Works", "cc-by-nc-nd"),
        ("CC BY\u2010NC\u2010ND", "cc-by-nc-nd"),
        ("CC BY \u2013 NC", "cc-by-nc"),
        ("This is a work of the US government and in the public domain", "public-domain"),
        ("http://www.frontiersin.org/licenseagreement", "other"),
        ("All rights reserved", "other"),
        ("http://creativecommons.org/licenses/by/4.0/ under the terms of CC BY-NC 4.0", "cc-by-nc"),
        (
            "http://creativecommons.org/licenses/by/2.0/ The Creative Commons Public Domain "
            "Dedication waiver (http://creativecommons.org/publicdomain/zero/1.0/) is for the data",
            "cc-by",
        ),
        (
            "http://creativecommons.org/licenses/by/4.0/ Creative Commons Attribution License, "
            "which permits commercial and non-commercial use",
            "cc-by",
        ),
        ("Attribution Noncommercial License; the Public Domain Dedication is for data", "cc-by-nc"),
        ("No part of it is in the public domain", "other"),
        ("", "unknown"),
    ],
)
def test_a_licence_is_read_from_the_articles_own_statement(statement: str, licence: str) -> None:
    assert licence in LICENCES
    assert licence_of({"licence": statement}) == licence


def test_only_the_licences_asked_for_are_kept() -> None:
    settings = FilterSettings(licences=("cc-by", "cc0"))
    assert reason_to_drop(Document("1", prose(1), metadata=CC_BY), settings) is None
    assert reason_to_drop(Document("1", prose(1)), settings) == "licence unknown"
    noncommercial = Document("1", prose(1), metadata={"licence": "CC BY-NC 4.0"})
    assert reason_to_drop(noncommercial, settings) == "licence cc-by-nc"


def test_unknown_settings_name_the_nearest() -> None:
    with pytest.raises(BadInputError, match=r"unknown licence 'cc_by'; did you mean 'cc-by'"):
        FilterSettings(licences=("cc_by",))
    with pytest.raises(BadInputError, match="two letters"):
        FilterSettings(languages=("english",))


def test_another_encoding_is_seen_and_a_bad_byte_is_not_taken_for_one() -> None:
    latin = "Die Größe der Prüfgruppe".encode("latin-1").decode("utf-8", errors="replace")
    assert unreadable(latin)
    assert unreadable("Cancer".encode("utf-16-le").decode())
    assert not unreadable(prose(1, 40) + "\ufffd")
    assert not unreadable("")


def test_characters_that_could_not_be_read_are_counted() -> None:
    removed: Counter[str] = Counter()
    text = f"{prose(1, 60)} Dr. Müller, García."
    cleaned(Document("1", text.encode("latin-1").decode(errors="replace")), removed)
    cleaned(Document("2", text), removed)
    assert removed == {"character that could not be read": 2}
