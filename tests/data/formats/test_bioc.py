"""BioC there and back: sentences, passages that overlap, gaps, infons of every kind, streaming."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from biobert.core.document import Argument, Document, Entity, Passage, Relation, Span
from biobert.data.formats._placed_text import PlacedText
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects

ENDINGS = ("bioc.json", "bioc.xml")
TEXT = "On aspirin.\nAspirin helps. Ulcers came."
DOCUMENT = Document(
    "7",
    TEXT,
    passages=(Passage(0, 11, "title"), Passage(12, 39, "abstract")),
    entities=(Entity(12, 19, "Drug", id="T1"), Entity(27, 33, "Sign", id="T2")),
)


def read(path: Path) -> tuple[list[Document], Rejects]:
    rejects = Rejects()
    return list(read_documents(path, None, rejects)), rejects


def through(document: Document, folder: Path, ending: str) -> Document:
    """What comes back, without the source that reading adds."""
    path = folder / f"a.{ending}"
    write_documents([document], path)
    (found,), rejects = read(path)
    assert rejects.count == 0, rejects.kept
    return replace(found, provenance=document.provenance)


def read_values(folder: Path, **values: Any) -> tuple[Document, Rejects]:
    path = folder / "a.bioc.json"
    path.write_text(json.dumps({"documents": [{"id": "7", **values}]}))
    (document,), rejects = read(path)
    return document, rejects


@pytest.mark.parametrize("ending", ENDINGS)
def test_sentences_and_names_of_labels_survive(ending: str, tmp_path: Path) -> None:
    document = replace(
        DOCUMENT,
        sentences=(Span(0, 11), Span(12, 26), Span(27, 39)),
        labels=("a|b", "c"),
        label_scores={"a|b": 0.5},
        annotated_labels=("Drug", "Sign"),
    )
    assert through(document, tmp_path, ending) == document


@pytest.mark.parametrize("ending", ENDINGS)
def test_passages_in_each_other_leave_the_text_as_it_is(ending: str, tmp_path: Path) -> None:
    parts = (Passage(12, 26, "section"), Passage(14, 39, "section", "Half outside"))
    document = replace(DOCUMENT, passages=(*DOCUMENT.passages, *parts))
    assert through(document, tmp_path, ending) == document


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_stands_behind_a_wide_gap_moves_with_it(ending: str, tmp_path: Path) -> None:
    text = TEXT.replace("\n", "\n" * 20)
    moved = tuple(replace(one, start=one.start + 19, end=one.end + 19) for one in DOCUMENT.entities)
    document = replace(
        DOCUMENT,
        text=text,
        passages=(Passage(0, 11, "title"), Passage(31, 58, "abstract")),
        entities=moved,
        sentences=(Span(0, 11), Span(31, 45), Span(46, 58)),
        relations=(Relation("r", (Argument("a", "T1"),), id="R1", evidence=(Span(31, 58),)),),
    )
    found = through(document, tmp_path, ending)
    assert found.text == TEXT
    assert [found.mention(one) for one in found.entities] == ["Aspirin", "Ulcers"]
    assert [TEXT[one.start : one.end] for one in found.sentences] == [
        "On aspirin.",
        "Aspirin helps.",
        "Ulcers came.",
    ]
    assert found.relations[0].evidence == (Span(12, 39),)


@pytest.mark.parametrize("has_text", [True, False])
def test_sentences_of_others_are_read(has_text: bool, tmp_path: Path) -> None:
    annotation = {
        "id": 1,
        "infons": {"type": "Sign"},
        "text": "came",
        "locations": [{"offset": 134, "length": 4}],
    }
    sentences = [
        {"offset": 112, "text": "Aspirin helps."},
        {"offset": 127, "text": "Ulcers came.", "annotations": [annotation]},
    ]
    passage = {"offset": 112, "infons": {}, "sentences": sentences}
    title = {"offset": 100, "infons": {"type": "title"}, "text": "On aspirin."}
    body = {**passage, "text": TEXT[12:]} if has_text else passage
    document, rejects = read_values(tmp_path, passages=[title, body])
    assert rejects.count == 0, rejects.kept
    assert document.text == TEXT
    assert document.sentences == (Span(12, 26), Span(27, 39))
    assert document.entities == (Entity(34, 38, "Sign", id="1"),)
    if has_text:
        sentences[0]["text"] = "Something else."
        document, rejects = read_values(tmp_path, passages=[title, body])
        assert document.sentences == (Span(27, 39),)
        assert [one.place for one in rejects.kept] == ["document 7, sentence 112"]


def test_infons_of_every_kind_become_words(tmp_path: Path) -> None:
    identifiers = ["MESH:D001241", "MESH:D005334"]
    annotation = {
        "id": 1,
        "infons": {"type": "Drug", "identifiers": identifiers},
        "text": "aspirin",
        "locations": [{"offset": 3, "length": 7}],
    }
    passage = {"offset": 0, "infons": {"page": 3}, "text": TEXT, "annotations": [annotation]}
    said = {"annotator": "mary", "updated_at": "2026-01-01T10:00:00Z", "confidence": "high"}
    infons = {"type": "CID", "Chemical": "D001241", "Disease": "OMIM:1", **said}
    document, rejects = read_values(
        tmp_path,
        infons={"authors": ["A", "B"], "sentences": "12", "open": True, "note": None},
        passages=[passage],
        relations=[{"id": 8, "infons": infons, "nodes": []}],
    )
    assert rejects.count == 0, rejects.kept
    assert document.metadata == {"authors": '["A", "B"]', "sentences": "12", "open": "true"}
    assert document.passages[0].metadata == {"page": "3"}
    assert document.entities[0].concept_ids == ("mesh:D001241", "mesh:D005334")
    ends = (
        Argument("Chemical", "mesh:D001241", "concept"),
        Argument("Disease", "omim:1", "concept"),
    )
    assert document.relations == (Relation("CID", ends, id="8"),)
    for ending in ENDINGS:
        found = through(document, tmp_path, ending)
        assert (found.entities, found.relations) == (document.entities, document.relations)
        assert found.metadata == document.metadata


@pytest.mark.parametrize("ending", ENDINGS)
def test_relations_keep_ends_of_one_role_and_of_relations(ending: str, tmp_path: Path) -> None:
    ends = tuple(Argument("type", f"mesh:D00000{number}", "concept") for number in (1, 2))
    nested = (Argument("of", "R1"), Argument("by", "T1"))
    relations = (Relation("alike", ends, id="R1"), Relation("said", nested, id="R7"))
    document = replace(DOCUMENT, relations=relations)
    assert through(document, tmp_path, ending) == document


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_concept_beside_a_mention_keeps_its_place(ending: str, tmp_path: Path) -> None:
    concept, other = (Argument("by", f"mesh:D00000{one}", "concept") for one in (1, 2))
    mention = Argument("by", "T2")
    relations = tuple(
        Relation("mixed", ends, id=f"R{number}")
        for number, ends in enumerate(
            [(concept, mention), (mention, concept), (concept, mention, other)], start=1
        )
    )
    document = replace(DOCUMENT, relations=relations)
    assert through(document, tmp_path, ending) == document


def test_a_bad_annotation_takes_no_other_along(tmp_path: Path) -> None:
    place = {"locations": [{"offset": 0, "length": 2}]}
    bad: list[Any] = [5, {"id": "a", "locations": 5}, {"id": "b", "infons": 5, **place}]
    passage = {"offset": 0, "text": "ab", "annotations": [*bad, {"id": "c", **place}]}
    relation = {"id": "r", "nodes": [{"refid": "c"}, 5]}
    document, rejects = read_values(tmp_path, passages=[passage], relations=[relation])
    assert [one.id for one in document.entities] == ["c"]
    places = ["annotation ?", "annotation a", "annotation b", "annotation r"]
    assert [one.place.removeprefix("document 7, ") for one in rejects.kept] == places
    path = tmp_path / "b.bioc.json"
    path.write_text(json.dumps({"passages": [{"offset": 0, "text": ["ab"]}]}))
    found, rejects = read(path)
    assert (found, rejects.kept[0].reason) == ([], "bad document: the text ['ab'] is not a string")


@pytest.mark.parametrize("key", ["annotations", "relations", "sentences", "passages"])
def test_a_string_is_no_list_of_bioc(key: str, tmp_path: Path) -> None:
    passage = {"offset": 0, "text": "Aspirin.", key: "aspirin"}
    values = {"id": "7", "passages": [passage]}
    if key == "passages":
        values = passage
    (tmp_path / "a.bioc.json").write_text(json.dumps({"documents": [values]}))
    documents, rejects = read(tmp_path / "a.bioc.json")
    assert documents == []
    (reject,) = rejects.kept
    assert reject.reason == f"bad document: {key!r} is 'aspirin', not a list"


def test_nulls_of_bioc_are_absent(tmp_path: Path) -> None:
    nulls = dict.fromkeys(("annotations", "relations", "sentences"))
    passages = [{"offset": 0, "text": "Aspirin.", **nulls}]
    document, rejects = read_values(tmp_path, passages=passages, annotations=None)
    assert (document.text, rejects.count) == ("Aspirin.", 0)


def test_no_character_stops_xml(tmp_path: Path) -> None:
    odd = "a\x0bb\x00"
    document = Document(
        odd,
        "x" * 9,
        passages=(Passage(0, 9, odd, odd, {"k": odd}),),
        entities=(Entity(0, 1, odd, (f"id:{odd}",), id=odd),),
        relations=(Relation(odd, (Argument(odd, odd),), id=f"r{odd}"),),
        labels=(odd,),
        metadata={odd: odd},
    )
    found = through(document, tmp_path, "bioc.xml")
    said = {found.id, *found.labels, found.passages[0].heading, found.entities[0].label}
    assert said | {found.relations[0].label} == {"a b "}


def test_xml_is_written_document_by_document(tmp_path: Path) -> None:
    sizes = []

    def documents() -> Iterator[Document]:
        for number in range(200):
            sizes.append(sum(one.stat().st_size for one in tmp_path.iterdir()))
            yield replace(DOCUMENT, id=str(number))

    path = tmp_path / "a.bioc.xml"
    assert write_documents(documents(), path) == 200
    assert sizes[-1] > path.stat().st_size / 2
    assert [one.id for one in read(path)[0]] == [str(number) for number in range(200)]


def test_pieces_that_agree_by_chance_stand_apart() -> None:
    pieces = PlacedText()
    assert pieces.add("It was", 0, "\n") == 0
    assert pieces.add("so.", 5, "\n") == 7
    assert pieces.text() == "It was\nso."
    assert pieces.span(Span(5, 8)) == Span(7, 10)
    assert pieces.span(Span(5, 9)) is None
