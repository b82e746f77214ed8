"""Names that a tagger is told."""

import time

import pytest

from biobert.core.document import Entity
from biobert.core.errors import BadInputError
from biobert.tasks._terms import check_terms, with_terms
from biobert.tasks.ner import NerSettings

LABELS = ("Disease", "Species", "Anatomy")
TERMS = check_terms({"Disease": ["asthma", "allergic asthma", "Influenza"]}, LABELS)
EXCLUDED = {"Disease": {"Species"}, "Species": {"Disease"}, "Anatomy": set()}


def marked(text: str, *entities: Entity) -> list[tuple[str, str]]:
    found = with_terms(text, entities, TERMS, EXCLUDED)
    return sorted((text[one.start : one.end], one.label) for one in found)


def test_names_are_marked_between_words_in_any_case() -> None:
    text = "ASTHMA, İ asthmatic: influenza."
    assert marked(text) == [("ASTHMA", "Disease"), ("influenza", "Disease")]


def test_blanks_of_a_name_are_those_of_the_text() -> None:
    told = check_terms({"Disease": [" breast  cancer ", "MS "]}, LABELS)
    text = "MS and breast cancer, Breast\n  cancer."
    found = with_terms(text, [], told, EXCLUDED)
    assert sorted(text[one.start : one.end] for one in found) == [
        "Breast\n  cancer",
        "MS",
        "breast cancer",
    ]


def test_the_longest_name_is_marked_and_takes_the_place_of_its_parts() -> None:
    text = "allergic asthma"
    lung, part = Entity(0, 8, "Anatomy", score=0.9), Entity(9, 15, "Disease", score=0.9)
    assert marked(text, lung, part) == [("allergic", "Anatomy"), ("allergic asthma", "Disease")]
    assert marked("asthma", Entity(0, 6, "Anatomy", score=0.9)) == [("asthma", "Disease")]
    assert marked("asthma", Entity(0, 3, "Species", score=0.9)) == [("asthma", "Disease")]


def test_a_name_gives_way_to_what_reaches_beyond_it() -> None:
    virus = Entity(0, 15, "Species", score=0.4)
    assert marked("influenza virus", virus) == [("influenza virus", "Species")]


def test_a_long_text_with_many_mentions_takes_linear_time() -> None:
    count = 5000
    text = "asthma and gout. " * count
    found = [Entity(17 * n, 17 * n + 6, "Anatomy", score=0.5) for n in range(count)]
    began = time.process_time()
    assert marked(text, *found) == [("asthma", "Disease")] * count
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"Gene": ["BRCA1"]}, "'Gene' is none of the labels"),
        ({"Disease": [" "]}, "is no name"),
        ({"Disease": "asthma"}, r"terms.Disease=.asthma. is a string"),
        ({"Disease": ["asthma"], "Species": ["Asthma"]}, "two labels"),
        ({"Disease": ["heart failure"], "Species": ["heart  failure "]}, "two labels"),
    ],
)
def test_terms_that_mean_nothing_are_refused(terms: dict[str, list[str]], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        check_terms(terms, LABELS)


def test_settings_go_to_json_and_back() -> None:
    from biobert.tasks.ner import NamedEntityRecognition

    task = NamedEntityRecognition(NerSettings(("Disease",), terms={"Disease": ["asthma"]}))
    again = NamedEntityRecognition.from_settings(task.settings())
    assert again.settings() == task.settings()
