"""Relations as formats write them: roles, scores, evidence, words where there are no concepts."""

from dataclasses import replace
from pathlib import Path

import pytest

from biobert.core.document import Argument, Document, Entity, Relation, RelationEnds, Span
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects

TEXT = "Salol (a <b>drug</b>) blocks ABC1. It is old."
FOUND = Relation(
    "INHIBITOR",
    (Argument("Chemical", "T1"), Argument("Gene", "T2")),
    score=0.875,
    evidence=(Span(0, 34), Span(35, 45)),
)
DOCUMENT = Document(
    "1",
    TEXT,
    entities=(Entity(0, 5, "Chemical", id="T1"), Entity(29, 33, "Gene", id="T2")),
    relations=(FOUND,),
)


@pytest.mark.parametrize("ending", ["jsonl", "bioc.xml", "bioc.json", "ann"])
def test_score_and_evidence_survive(ending: str, tmp_path: Path) -> None:
    path = tmp_path / ("folder" if ending == "ann" else f"a.{ending}")
    format = {"ann": "brat", "bioc.xml": "bioc-xml", "bioc.json": "bioc-json"}.get(ending, ending)
    concepts = tuple(
        replace(one, target=f"mesh:D00000{number}", kind="concept", role=f"Arg{number}")
        for number, one in enumerate(FOUND.arguments)
    )
    given = replace(DOCUMENT, relations=(FOUND, replace(FOUND, arguments=concepts)))
    write_documents([given], path, format)
    (document,) = read_documents(path, format)
    for one, other in zip(document.relations, given.relations, strict=True):
        assert replace(one, id=None) == other


@pytest.mark.parametrize(
    ("format", "place"),
    [
        ("jsonl", "2"),
        ("brat", "3"),
        ("bioc-json", "document 2, annotation R1"),
        ("bioc-xml", "document 2, annotation R1"),
    ],
)
def test_a_relation_to_what_is_not_there_is_set_aside(
    format: str, place: str, tmp_path: Path
) -> None:
    ends = (FOUND.arguments[0], Argument("Gene", "T9"))
    astray = replace(DOCUMENT, id="2", relations=(replace(FOUND, arguments=ends),))
    write_documents([DOCUMENT, astray, replace(DOCUMENT, id="3")], tmp_path / "a", format)
    rejects = Rejects()
    documents = list(read_documents(tmp_path / "a", format, rejects))
    assert [one.id for one in documents if one.relations] == ["1", "3"]
    (reject,) = rejects.kept
    assert reject.place == place
    assert "relation 'INHIBITOR' points at 'T9', which the document lacks" in reject.reason


def test_pubtator_writes_the_words_of_mentions_without_concepts(tmp_path: Path) -> None:
    write_documents([DOCUMENT], tmp_path / "a.pubtator")
    lines = (tmp_path / "a.pubtator").read_text().split("\n")
    assert "1\tINHIBITOR\tSalol\tABC1" in lines


def test_the_page_lists_relations_with_what_says_so(tmp_path: Path) -> None:
    write_documents([DOCUMENT], tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text()
    assert "<li><b>INHIBITOR</b> 88%: Salol, ABC1" in page
    assert "<q>Salol (a &lt;b&gt;drug&lt;/b&gt;) blocks ABC1.</q><q>It is old.</q>" in page


def test_an_argument_is_shown_by_its_first_mention() -> None:
    linked = Entity(0, 5, "Chemical", ("mesh:D1", "mesh:D2"), id="T1")
    document = DOCUMENT.with_entities([linked])
    assert document.argument_text(Argument("a", "mesh:D2", "concept")) == "Salol"
    assert document.argument_text(Argument("a", "mesh:D9", "concept")) == "mesh:D9"
    assert document.argument_text(Argument("a", "T1")) == "Salol"
    assert document.argument_text(Argument("a", "T7")) == "T7"


def test_identifiers_are_kept_where_they_tell_entities_apart() -> None:
    assert DOCUMENT.with_entity_ids() is DOCUMENT
    assert Document("1", TEXT).with_entity_ids() == Document("1", TEXT)
    twice = DOCUMENT.with_entities([replace(one, id="T1") for one in DOCUMENT.entities])
    assert [one.id for one in twice.with_entity_ids().entities] == ["T1", "T2"]


@pytest.mark.parametrize("ending", ["jsonl", "bioc.xml", "bioc.json", "ann", "pubtator", "html"])
@pytest.mark.parametrize("names", [(None, None), ("T2", None), ("1", "1"), (None, "T1")])
def test_every_format_writes_the_ends_that_are_meant(
    ending: str, names: tuple[str | None, str | None], tmp_path: Path
) -> None:
    """JSON lines take identifiers that mentions have by their place, so all others must."""
    entities = tuple(
        replace(one, id=name) for one, name in zip(DOCUMENT.entities, names, strict=True)
    )
    document = replace(DOCUMENT, entities=entities)
    salol, gene = (Argument("a", one.id or "") for one in document.with_entity_ids().entities)
    related = replace(document, relations=(Relation("by", (gene, salol)),))
    path = tmp_path / f"a.{ending}"
    format = "brat" if ending == "ann" else None
    write_documents([related], path, format)
    if ending == "html":
        assert "<li><b>by</b>: ABC1, Salol" in path.read_text()
        return
    rejects = Rejects()
    (found,) = read_documents(path, format, rejects)
    assert rejects.count == 0, rejects.kept
    words = [found.argument_text(one).removeprefix("id:") for one in found.relations[0].arguments]
    assert words == ["ABC1", "Salol"]


def test_what_needs_a_relation_that_is_astray_is_astray_too() -> None:
    def pointing(*targets: str, id: str | None = None) -> Relation:
        return Relation("r", tuple(Argument("a", one) for one in targets), id=id)

    relations = (
        pointing("T1", "R2", id="R1"),
        pointing("T2", "R3", id="R2"),
        pointing("T9", id="R3"),
        pointing("T1", "R5", id="R4"),
        pointing("R4", id="R5"),
        pointing("R1"),
        # A mention has this name, too.
        pointing("T9", id="T1"),
    )
    ends = RelationEnds(replace(DOCUMENT, relations=relations))
    assert ends.astray() == {0: "R2", 1: "R3", 2: "T9", 5: "R1", 6: "T9"}
    assert ends.standing().relations == (relations[3], relations[4])
    assert RelationEnds(DOCUMENT).standing() is DOCUMENT


def test_identifiers_of_relations_are_their_own() -> None:
    named = replace(DOCUMENT, relations=(FOUND, replace(FOUND, id="R1"), replace(FOUND, id="R1")))
    assert [one.id for one in named.with_relation_ids().relations] == ["R2", "R1", "R3"]
    assert named.with_relation_ids().with_relation_ids() == named.with_relation_ids()
