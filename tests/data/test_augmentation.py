"""Changed copies: other mentions, other words, and every offset where it belongs."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Argument, Document, Entity, Passage, Relation, Span
from biobert.core.errors import BadInputError
from biobert.core.settings import from_mapping
from biobert.data.augmentation import (
    WORD,
    AugmentationSettings,
    ReplaceMentions,
    ReplaceWords,
    augmented,
    words_outside,
)

TEXT = "Lithium caused cardiac arrest. Patients took beta-lithium."
DOCUMENT = Document(
    "d",
    TEXT,
    passages=(Passage(0, 30, "title"), Passage(31, 58, "abstract")),
    entities=(
        Entity(0, 7, "Drug", ("mesh:D1",), id="T1"),
        Entity(15, 29, "Disease", ("mesh:D2",), id="T2"),
        Entity(50, 57, "Drug", ("mesh:D1",), id="T3"),
    ),
    relations=(
        Relation("CID", (Argument("a", "T1"), Argument("b", "T2")), evidence=(Span(0, 30),)),
    ),
    sentences=(Span(0, 30), Span(31, 58)),
)
TERMS = {"Drug": ("aspirin", "gold"), "Disease": ("gout",)}


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_mentions_change_and_everything_moves_along() -> None:
    found = ReplaceMentions(TERMS, rate=1.0)(DOCUMENT, generator())
    first, second, third = found.entities
    assert found.mention(first) in TERMS["Drug"]
    assert found.mention(second) == "gout"
    assert found.mention(third) in TERMS["Drug"]
    assert [one.id for one in found.entities] == ["T1", "T2", "T3"]
    assert not any(one.concept_ids for one in found.entities)
    assert found.relations[0].arguments == DOCUMENT.relations[0].arguments
    sentences = [found.text[one.start : one.end] for one in found.sentences]
    assert sentences[0].endswith("caused gout.")
    assert sentences[1].startswith("Patients took beta-")
    assert found.relations[0].evidence == found.sentences[:1]


def test_mentions_of_related_concepts_overlaps_and_pieces_stay() -> None:
    concepts = (Argument("a", "mesh:D1", "concept"), Argument("b", "mesh:D9|mesh:D2", "concept"))
    of_concepts = Document(
        "d", TEXT, entities=DOCUMENT.entities, relations=(Relation("CID", concepts),)
    )
    replacing = ReplaceMentions(TERMS, rate=1.0)
    assert replacing(of_concepts, generator()) == of_concepts
    overlapping = Document(
        "d",
        TEXT,
        entities=(
            Entity(0, 7, "Drug"),
            Entity(0, 29, "Disease", fragments=(Span(0, 7), Span(15, 29))),
        ),
    )
    assert replacing(overlapping, generator()) == overlapping
    across = Document(
        "d", TEXT, entities=(Entity(23, 39, "Disease"),), sentences=DOCUMENT.sentences
    )
    assert replacing(across, generator()) == across


def test_a_mention_is_not_replaced_by_itself() -> None:
    lonely = ReplaceMentions({"Drug": ("Lithium",)}, rate=1.0)
    assert lonely(DOCUMENT, generator()).text.startswith("Lithium")


def test_words_get_synonyms_in_their_own_case() -> None:
    synonyms = {"patients": ("subjects",), "lithium": ("NEVER",), "caused": ("led to",)}
    found = ReplaceWords(synonyms, rate=1.0)(DOCUMENT, generator())
    assert found.text == "Lithium led to cardiac arrest. Subjects took beta-lithium."
    assert [found.mention(one) for one in found.entities] == [
        "Lithium",
        "cardiac arrest",
        "lithium",
    ]


def test_copies_are_repeatable_distinct_and_numbered() -> None:
    methods = [ReplaceMentions(TERMS, rate=0.7)]
    first, again = (list(augmented([DOCUMENT] * 3, methods, copies=5, seed=4)) for _ in range(2))
    assert first == again
    assert first != list(augmented([DOCUMENT] * 3, methods, copies=5, seed=5))
    assert len({one.text for one in first[:3]}) > 1
    assert all(one.text != TEXT for one in first)
    assert first[0].id == "d-augmented-1"
    assert not list(augmented([DOCUMENT], [ReplaceMentions({}, 1.0)], copies=2, seed=1))


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ({}, "nothing to do"),
        ({"mention_rate": 2.0}, "mention_rate = 2.0"),
        ({"synonym_rate": 0.2}, "synonyms"),
        ({"mention_rate": 0.2, "language_model": "bert"}, "filled_rate"),
        ({"translated_rate": 0.2, "translators": [{"model": "a"}]}, "two translators"),
        ({"mention_rate": 0.2, "copies": 0}, "copies = 0"),
        ({"mention_rate": 0.2, "top": 9}, "top = 9 is read beside language_model"),
        ({"synonym_rate": 0.2, "synonyms": "a", "lexicon": "b"}, "lexicon = 'b' is read beside"),
        (
            {"synonym_rate": 0.2, "synonyms": "a", "ontologies": {"A": "b"}},
            "ontologies = {'A': 'b'} is read beside mention_rate alone",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(table: dict[str, object], word: str) -> None:
    with pytest.raises(BadInputError, match=word):
        from_mapping(AugmentationSettings, table, place="recipe.toml [augmentation]")


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents whose entities and sentences lie anywhere."""
    text = draw(st.text(alphabet="ab c.\nβ", min_size=1, max_size=50))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    spans = [Span(start, end) for start, end in pairwise(cuts)]
    entities = [Entity(one.start, one.end, draw(st.sampled_from("AB"))) for one in spans]
    places = st.integers(0, len(text) - 1)
    for start in draw(st.lists(places, max_size=2)):
        entities.append(Entity(start, draw(st.integers(start + 1, len(text))), "A"))
    kept = [one for one in entities if draw(st.booleans())]
    half = draw(places)
    sentences = [Span(0, half), Span(half, len(text))] if half else [Span(0, len(text))]
    return Document("d", text, sentences=tuple(sentences)).with_entities(kept)


@given(documents(), st.floats(0, 1), st.integers(0, 9))
def test_every_mention_is_its_own_or_an_allowed_one(
    document: Document, rate: float, seed: int
) -> None:
    terms = {"A": ("x", "yy z"), "B": ("w",)}
    found = ReplaceMentions(terms, rate)(document, generator(seed))
    assert [one.label for one in found.entities] == [one.label for one in document.entities]
    for before, after in zip(document.entities, found.entities, strict=True):
        mention = found.text[after.start : after.end]
        assert mention == document.mention(before) or mention in terms[after.label]
    assert outside(found) == outside(document)
    parts = [found.text[one.start : one.end] for one in found.sentences]
    assert "".join(parts) == found.text


def outside(document: Document) -> str:
    """The characters that no entity has."""
    inside = {place for one in document.entities for place in range(one.start, one.end)}
    return "".join(sign for place, sign in enumerate(document.text) if place not in inside)


@given(documents(), st.integers(0, 9))
def test_only_known_words_outside_entities_change(document: Document, seed: int) -> None:
    found = ReplaceWords({"ab": ("Z",), "b": ("Y X",)}, rate=1.0)(document, generator(seed))
    assert [found.mention(one) for one in found.entities] == [
        document.mention(one) for one in document.entities
    ]
    words = [document.text[one.start : one.end] for one in words_outside(document)]
    assert found.text.count("Z") == words.count("ab")
    assert found.text.count("Y X") == words.count("b")
    assert all(WORD.fullmatch(word) for word in words)
