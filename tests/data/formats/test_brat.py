"""BRAT's folders: no line is dropped in silence, nothing of ours is lost or overwritten."""

from dataclasses import replace
from pathlib import Path

import pytest

from biobert.core.document import Argument, Document, Entity, Relation
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects

TEXT = "Aspirin causes ulcer."
DRUG, SIGN = Entity(0, 7, "Drug", id="T1"), Entity(15, 20, "Sign", id="T2")


def related(label: str, *targets: str, id: str | None = None) -> Relation:
    arguments = (Argument(f"Arg{number}", one) for number, one in enumerate(targets, start=1))
    return Relation(label, tuple(arguments), id=id)


def read(folder: Path) -> tuple[list[Document], Rejects]:
    rejects = Rejects()
    return list(read_documents(folder, "brat", rejects)), rejects


def through(document: Document, folder: Path) -> Document:
    write_documents([document], folder, "brat")
    (found,), rejects = read(folder)
    assert rejects.count == 0, rejects.kept
    return found


def test_every_line_that_is_not_kept_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    lines = [
        "#1\tAnnotatorNotes R1\tscore: 0.5",
        "N1\tReference T1 MESH:D001241\tAspirin",
        "T1\tDrug 0 7\tAspirin",
        "T1\tSign 15 20\tulcer",
        "T2\tSign 15 20\tulcer",
        "T3\tSign 15 99",
        "R1\tA Arg1:T1 Arg2:T2",
        "R1\tB Arg1:T2 Arg2:T1",
        "R2\tC Arg1:T1 Arg2:T9",
        "R3\tD Arg1:T1 Arg2:R2",
        "#2\tAnnotatorNotes T1\tunsure",
        "#3\tAnnotatorNotes R1\tscore: high",
        "N2\tReference T9 MESH:D001241\tAspirin",
        "N3\tReference T2",
        "T4\tSign",
        "T5\tSign 15 16 20\tulcer",
        "T6\tSign 0 7;15\tAspirin ulcer",
        "R4\tAlone",
        "R5\t",
    ]
    (tmp_path / "a.ann").write_text("\n".join(lines))
    (document,), rejects = read(tmp_path)
    assert document.entities == (replace(DRUG, concept_ids=("mesh:D001241",)), SIGN)
    assert document.relations == (replace(related("A", "T1", "T2", id="R1"), score=0.5),)
    assert sorted(int(one.place) for one in rejects.kept) == [4, 6, *range(8, 20)]
    reasons = {one.place: one.reason for one in rejects.kept}
    assert reasons["4"] == "bad annotation: 'T1' comes twice"
    assert reasons["11"] == "kind not kept: '#' annotation"
    assert "'T9', which is no mention here" in reasons["13"]
    assert "'15 16 20' is no place such as" in reasons["16"]
    assert "relation 'Alone' has no arguments" in reasons["18"]


def test_blanks_in_labels_and_roles_are_coded(tmp_path: Path) -> None:
    arguments = (Argument("The cause:", "T1"), Argument("of", "T2"))
    effect = Relation("no\u00a0effect", arguments, id="R1")
    entities = (replace(DRUG, label="Side effect"), replace(SIGN, label="_x0041_ x_y"))
    document = Document("a", TEXT, entities=entities, relations=(effect,))
    found = through(document, tmp_path)
    assert (found.entities, found.relations) == (entities, (effect,))
    assert (tmp_path / "a.ann").read_text().splitlines() == [
        "T1\tSide_x0020_effect 0 7\tAspirin",
        "T2\t_x005F_x0041__x0020_x_y 15 20\tulcer",
        "R1\tno_x00A0_effect The_x0020_cause_x003A_:T1 of:T2",
    ]


def test_names_of_files_are_free_and_short_enough(tmp_path: Path) -> None:
    chinese = "病例报告二零二六年十一月二十八日心内科住院患者出院小结"
    names = ["a", "a", "a~2", chinese, "é/b", "ж" * 300]
    write_documents([Document(name, f"text {name}") for name in names], tmp_path, "brat")
    assert len(list(tmp_path.glob("*.txt"))) == len(list(tmp_path.glob("*.ann"))) == len(names)
    assert (tmp_path / f"{chinese}.txt").is_file()
    assert (tmp_path / "é%2Fb.txt").is_file()
    documents, _ = read(tmp_path)
    assert {one.text for one in documents} == {f"text {name}" for name in names}
    assert set(names[:5]) - {one.id for one in documents} == set()


def test_relations_of_relations_keep_their_ends(tmp_path: Path) -> None:
    relations = (related("Cause", "T1", "T2", id="R2"), related("Doubt", "T1", "R2", id="R1"))
    document = Document("a", TEXT, entities=(DRUG, SIGN), relations=relations)
    assert through(document, tmp_path).relations == relations
    others = (related("Cause", "x", "y", id="one"), related("Doubt", "x", "one"))
    named = (replace(DRUG, id="x"), replace(SIGN, id="y"))
    found = through(replace(document, entities=named, relations=others), tmp_path)
    assert found.entities == (DRUG, SIGN)
    assert found.relations == (
        related("Cause", "T1", "T2", id="R1"),
        related("Doubt", "T1", "R1", id="R2"),
    )


def test_a_mention_beside_a_concept_stays_one(tmp_path: Path) -> None:
    arguments = (Argument("Drug", "T1"), Argument("Gene", "id:BRCA 1", "concept"))
    relation = Relation("of", arguments, id="R1")
    document = Document("a", TEXT, entities=(DRUG,), relations=(relation,))
    assert through(document, tmp_path).relations == (relation,)


def test_scores_of_mentions_stay(tmp_path: Path) -> None:
    scored = (replace(DRUG, score=0.75), SIGN)
    assert through(Document("a", TEXT, entities=scored), tmp_path).entities == scored


@pytest.mark.parametrize("names", [("T2", None), (None, None), ("T1", "T1"), (None, "T1")])
def test_ends_by_place_are_written_as_they_are_meant(
    names: tuple[str | None, str | None], tmp_path: Path
) -> None:
    entities = tuple(replace(one, id=name) for one, name in zip((DRUG, SIGN), names, strict=True))
    document = Document("a", TEXT, entities=entities)
    first, second = (one.id or "" for one in document.with_entity_ids().entities)
    found = through(replace(document, relations=(related("r", second, first),)), tmp_path)
    ends = [found.argument_text(one) for one in found.relations[0].arguments]
    assert ends == ["ulcer", "Aspirin"]


def test_a_mark_of_the_byte_order_is_written_as_a_blank(tmp_path: Path) -> None:
    entities = (Entity(0, 8, "Drug", id="T1"), Entity(16, 21, "Sign", id="T2"))
    found = through(Document("a", f"\ufeff{TEXT}", entities=entities), tmp_path / "out")
    assert (found.text, found.entities) == (f" {TEXT}", entities)


@pytest.mark.parametrize(
    ("mark", "shift", "encoding"),
    [("", 0, "utf-8"), ("\ufeff", 0, "utf-8"), ("\ufeff", 1, "utf-8"), ("\ufeff", 1, "utf-16-le")],
)
def test_others_may_count_the_mark_of_the_byte_order(
    mark: str, shift: int, encoding: str, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(mark + TEXT, encoding=encoding)
    places = [f"{start + shift} {end + shift}" for start, end in ((0, 7), (15, 20))]
    (tmp_path / "a.ann").write_text(f"T1\tDrug {places[0]}\tAspirin\nT2\tSign {places[1]}\tulcer\n")
    (document,), rejects = read(tmp_path)
    assert rejects.count == 0, rejects.kept
    assert document.text == mark * shift + TEXT
    assert [document.mention(one) for one in document.entities] == ["Aspirin", "ulcer"]


def test_bad_annotations_of_a_marked_text_are_told_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"\ufeff{TEXT}")
    (tmp_path / "a.ann").write_text("T1\tDrug 0 7\tAspirin\nT2\tSign 3 9\tulcer\n")
    (document,), rejects = read(tmp_path)
    assert (document.text, document.entities) == (TEXT, (DRUG,))
    assert [one.place for one in rejects.kept] == ["2"]
