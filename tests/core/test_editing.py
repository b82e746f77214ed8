"""Edited documents: new text, and every span where its words are."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Argument, Document, Entity, Passage, Relation, Span
from biobert.core.editing import Edit, edited
from biobert.core.errors import BadInputError

TEXT = "Lithium caused cardiac arrest. Rest helped."
DOCUMENT = Document(
    "d",
    TEXT,
    passages=(Passage(0, 30, "title"), Passage(31, 43, "abstract")),
    entities=(
        Entity(0, 7, "Chemical", id="T1"),
        Entity(15, 29, "Disease", id="T2", fragments=(Span(15, 22), Span(23, 29))),
    ),
    relations=(
        Relation(
            "CID", (Argument("chemical", "T1"), Argument("disease", "T2")), evidence=(Span(0, 30),)
        ),
    ),
    sentences=(Span(0, 30), Span(31, 43)),
)


def test_spans_go_with_their_words() -> None:
    found = edited(DOCUMENT, [Edit(0, 7, "Li"), Edit(15, 22, "a sudden"), Edit(31, 35, "Sleep")])
    assert found.text == "Li caused a sudden arrest. Sleep helped."
    assert [found.mention(one) for one in found.entities] == ["Li", "a sudden arrest"]
    assert [found.text[one.start : one.end] for one in found.sentences] == [
        "Li caused a sudden arrest.",
        "Sleep helped.",
    ]
    assert found.passages[1].start == found.text.index("Sleep")
    assert found.relations[0].evidence == (Span(0, 26),)


def test_what_is_deleted_takes_its_relations_along() -> None:
    found = edited(DOCUMENT, [Edit(0, 8, "")])
    assert [one.label for one in found.entities] == ["Disease"]
    assert found.mention(found.entities[0]) == "cardiac arrest"
    assert not found.relations


def test_a_mention_in_pieces_lives_as_long_as_one_of_them() -> None:
    found = edited(DOCUMENT, [Edit(15, 23, "")])
    assert found.entities[1] == Entity(15, 21, "Disease", id="T2")
    assert found.mention(found.entities[1]) == "arrest"
    apart = (Span(0, 7), Span(15, 22))
    document = replace(DOCUMENT, entities=(Entity(0, 22, "Both", fragments=apart),), relations=())
    assert edited(document, [Edit(0, 7, ""), Edit(15, 22, "")]).entities == ()


def test_relations_of_relations_that_are_gone_go_too() -> None:
    def pointing(name: str, *targets: str) -> Relation:
        return Relation("r", tuple(Argument("a", one) for one in targets), id=name)

    relations = (pointing("R1", "T1", "T2"), pointing("R2", "R1"), pointing("R3", "R2", "T2"))
    kept = pointing("R4", "T2")
    document = replace(DOCUMENT, relations=(*relations, kept))
    assert edited(document, [Edit(0, 8, "")]).relations == (kept,)


def test_a_mention_by_its_place_stays_the_same_when_another_goes() -> None:
    entities = tuple(replace(one, id=None) for one in DOCUMENT.entities)
    second = Relation("r", (Argument("a", "T2"),))
    found = edited(replace(DOCUMENT, entities=entities, relations=(second,)), [Edit(0, 8, "")])
    assert found.relations == (second,)
    assert found.argument_text(second.arguments[0]) == "cardiac arrest"


def test_a_span_that_is_cut_takes_the_whole_new_text() -> None:
    found = edited(DOCUMENT, [Edit(4, 10, "-XYZ-")])
    assert found.text.startswith("Lith-XYZ-used")
    assert found.mention(found.entities[0]) == "Lith-XYZ-"


@pytest.mark.parametrize(
    "edits", [[Edit(0, 5, ""), Edit(4, 6, "")], [Edit(40, 60, "x")], [Edit(3, 2, "")]]
)
def test_edits_that_cannot_be_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(BadInputError, match="overlaps another or leaves the text"):
        edited(DOCUMENT, edits)


@given(st.data())
def test_what_no_edit_touches_reads_as_before(data: st.DataObject) -> None:
    text = data.draw(st.text(alphabet="ab β😀", min_size=4, max_size=40))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=10)))
    pieces = list(pairwise(cuts))
    changed = [data.draw(st.booleans()) for _ in pieces]
    edits = [
        Edit(start, end, data.draw(st.text(alphabet="xyz", min_size=1, max_size=5)))
        for (start, end), wanted in zip(pieces, changed, strict=True)
        if wanted
    ]
    entities = tuple(Entity(start, end, "A") for start, end in pieces)
    found = edited(Document("d", text, entities=entities), edits)
    new_texts = iter([edit.text for edit in edits])
    for before, after, wanted in zip(entities, found.entities, changed, strict=True):
        expected = next(new_texts) if wanted else text[before.start : before.end]
        assert found.mention(after) == expected


@given(st.text(alphabet="abc ", min_size=1, max_size=30), st.data())
def test_edits_that_change_nothing_change_nothing(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    document = Document("d", text, entities=(Entity(start, end, "A"),))
    assert edited(document, [Edit(start, end, text[start:end])]) == document
