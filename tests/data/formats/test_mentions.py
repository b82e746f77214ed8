"""The flat table of mentions: what a data frame gets to read."""

import csv
from pathlib import Path

import pytest

from biobert.core.document import Document, Entity, Span
from biobert.core.errors import BiobertError
from biobert.data.reading import read_documents, write_documents

TEXT = 'Breast and\novarian cancer, "so called", is treated.'
DOCUMENTS = [
    Document(
        "7",
        TEXT,
        entities=(
            Entity(0, 25, "Disease", ("mesh:D1", "mesh:D2"), 0.98765),
            Entity(0, 25, "Disease", fragments=(Span(0, 6), Span(19, 25))),
            Entity(27, 38, "Quoted"),
        ),
    ),
    Document("8", "Nothing is named here."),
]
ROWS = [
    ["document", "start", "end", "label", "mention", "score", "concepts"],
    ["7", "0", "25", "Disease", "Breast and ovarian cancer", "0.9877", "mesh:D1|mesh:D2"],
    ["7", "0", "25", "Disease", "Breast cancer", "", ""],
    ["7", "27", "38", "Quoted", '"so called"', "", ""],
]


@pytest.mark.parametrize(("ending", "mark"), [("tsv", "\t"), ("csv", ",")])
def test_each_mention_is_a_row(ending: str, mark: str, tmp_path: Path) -> None:
    path = tmp_path / f"found.mentions.{ending}"
    assert write_documents(DOCUMENTS, path) == 2
    with path.open(encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream, delimiter=mark)) == ROWS
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(ROWS)


def test_it_is_written_alone(tmp_path: Path) -> None:
    path = tmp_path / "found.mentions.tsv"
    write_documents(DOCUMENTS, path)
    with pytest.raises(BiobertError, match="'mentions' cannot be read"):
        list(read_documents(path))


@pytest.mark.parametrize("end", ["\r", "\n", "\t", "\r\n"])
def test_no_name_goes_over_two_lines(end: str, tmp_path: Path) -> None:
    entity = Entity(0, 6, f"Dis{end}ease", (f"mesh:{end}D1",))
    path = tmp_path / "found.mentions.tsv"
    write_documents([Document(f"7{end}8", TEXT, entities=(entity,))], path)
    row = path.read_text(encoding="utf-8").splitlines()[1]
    assert row == "7 8\t0\t6\tDis ease\tBreast\t\tmesh: D1"
