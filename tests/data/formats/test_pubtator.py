"""PubTator: what a line says is kept or counted."""

from dataclasses import replace
from pathlib import Path

import pytest

from biobert.core.document import Document, Entity
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects


def read(path: Path, text: str) -> tuple[Document, Rejects]:
    path.write_text(text)
    rejects = Rejects()
    (document,) = read_documents(path, "pubtator", rejects)
    return document, rejects


def test_mentions_of_several_concepts_are_written_as_pubtator_has_them(tmp_path: Path) -> None:
    text = (
        "1|t|Ocular and auditory toxicity\n1|a|X-linked disease and cancer\n"
        "1\t0\t28\tOcular and auditory toxicity\tDisease\tD014786|D006311\t"
        "Ocular toxicity|auditory toxicity\n"
        "1\t29\t45\tX-linked disease\tDisease\tD040181+D004194\n"
        "1\t50\t56\tcancer\tDisease\tD009369\n\n"
    )
    document, rejects = read(tmp_path / "a.pubtator", text)
    assert rejects.count == 0
    assert [one.concept_ids for one in document.entities] == [
        ("mesh:D014786", "mesh:D006311"),
        ("mesh:D040181", "mesh:D004194"),
        ("mesh:D009369",),
    ]
    assert document.metadata == {
        "composite 0-28": "D014786|D006311\tOcular toxicity|auditory toxicity",
        "composite 29-45": "D040181+D004194",
    }
    write_documents([document], tmp_path / "b.pubtator")
    assert (tmp_path / "b.pubtator").read_text() == text
    linked = (replace(one, concept_ids=("mesh:D009369",)) for one in document.entities)
    write_documents([document.with_entities(linked)], tmp_path / "b.pubtator")
    assert (tmp_path / "b.pubtator").read_text().count("\tDisease\tD009369\n") == 3


def test_lines_of_another_document_in_pubtator_are_counted(tmp_path: Path) -> None:
    text = (
        "1|t|Cancer is old\n2|a|Of another\n1|a|Yes\n"
        "1 \t0\t6\tCancer\tDisease\tD009369\n"
        "2\t0\t6\tCancer\tDisease\tD009369\n"
        "2\tCID\tD009369\tD009369\n\n"
    )
    document, rejects = read(tmp_path / "a.pubtator", text)
    assert document.text == "Cancer is old\nYes"
    assert (len(document.entities), document.relations) == (1, ())
    assert [reject.place for reject in rejects.kept] == ["2", "5", "6"]
    assert "it is of '2', and stands below '1'" in rejects.kept[1].reason


@pytest.mark.parametrize("line", ["1\t0\t6\tCancer", "1\t-6\t6\tCancer\tDisease\tD009369"])
def test_a_mention_in_pieces_is_no_relation(line: str, tmp_path: Path) -> None:
    document, rejects = read(tmp_path / "a.pubtator", f"1|t|Cancer\n1|a|Yes\n{line}\n")
    assert (document.entities, document.relations) == ((), ())
    assert [reject.place for reject in rejects.kept] == ["3"]


@pytest.mark.data
def test_a_corpus_is_written_letter_by_letter(corpora: Path, tmp_path: Path) -> None:
    source = corpora / "pubtator" / "BC5CDR" / "test.PubTator.txt"
    write_documents(read_documents(source, "pubtator"), tmp_path / "a.pubtator")
    lines = (tmp_path / "a.pubtator").read_text().split("\n")
    assert lines == [one.rstrip() for one in source.read_text().split("\n")]


@pytest.mark.parametrize("said", ["Terms with |t| > 2 were kept", "Pr(>|t|) was low"])
def test_an_abstract_may_speak_of_t_between_bars(said: str, tmp_path: Path) -> None:
    entity = Entity(7, 12, "Statistic")
    documents = [
        Document("1", f"Title.\n{said}.", entities=(entity,)),
        Document("2", f"{said}\nTitle.", entities=(replace(entity, start=0, end=5),)),
    ]
    write_documents(documents, tmp_path / "a.pubtator")
    rejects = Rejects()
    read_again = list(read_documents(tmp_path / "a.pubtator", "pubtator", rejects))
    assert rejects.count == 0, rejects.kept
    assert [one.text for one in read_again] == [one.text for one in documents]
    assert [one.entities for one in read_again] == [one.entities for one in documents]


def test_documents_are_parted_where_no_line_is_blank(tmp_path: Path) -> None:
    (tmp_path / "a.pubtator").write_text("1|t|A\n1|a|The |t| of B\n2|t|C |a| D\n2|a|E\n")
    read_again = list(read_documents(tmp_path / "a.pubtator"))
    assert [one.text for one in read_again] == ["A\nThe |t| of B", "C |a| D\nE"]
