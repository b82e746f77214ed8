"""Tables of texts: quotes, titles, what parts their cells."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Document
from biobert.core.files import InMemoryFile
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects


def read(path: Path, format: str, text: str) -> tuple[list[Document], Rejects]:
    path.write_text(text)
    rejects = Rejects()
    return list(read_documents(path, format, rejects)), rejects


def test_relation_tables_of_biobert_keep_their_marks(tmp_path: Path) -> None:
    text = "index\tsentence\tlabel\n0\t@GENE$ causes @DISEASE$ .\t1\n1\tNo @GENE$ in @DISEASE$\t0\n"
    documents, rejects = read(tmp_path / "test.tsv", "tsv", text)
    assert [(one.id, one.labels) for one in documents] == [("0", ("1",)), ("1", ("0",))]
    assert documents[0].text == "@GENE$ causes @DISEASE$ ."
    documents, _ = read(tmp_path / "train.tsv", "tsv", "@GENE$ causes @DISEASE$ .\t1\n")
    assert documents[0].labels == ("1",)
    assert rejects.count == 0


def test_a_stray_quote_swallows_no_rows(tmp_path: Path) -> None:
    rows = ['"Lithium helps.\t1', '"Hot spot" mutations\t0', '"two\nlines"\t1', 'a 5" cut\t0']
    documents, rejects = read(tmp_path / "a.tsv", "tsv", "text\tlabel\n" + "\n".join(rows) + "\n")
    assert [(one.id, one.text) for one in documents] == [
        ("2", '"Lithium helps.'),
        ("3", '"Hot spot" mutations'),
        ("4", "two\nlines"),
        ("6", 'a 5" cut'),
    ]
    assert rejects.count == 0
    documents, rejects = read(tmp_path / "a.csv", "tsv", 'text,label\n"a,1\nb,0\n"c" d,1\n')
    assert [one.text for one in documents] == ["b"]
    assert [one.place for one in rejects.kept] == ["2", "4"]


def test_stray_quotes_of_two_rows_are_not_those_of_one_cell(tmp_path: Path) -> None:
    cells = ['"It begins with one.', "It has none.", 'It ends with one"', '"one\ncell"', "Last."]
    rows = [f"{number}\t{cell}\tA" for number, cell in enumerate(cells)]
    written = "id\ttext\tlabel\n" + "\n".join(rows) + "\n"
    documents, rejects = read(tmp_path / "a.tsv", "tsv", written)
    assert [one.text for one in documents] == [*cells[:3], "one\ncell", "Last."]
    assert [one.id for one in documents] == ["0", "1", "2", "3", "4"]
    assert rejects.count == 0


@pytest.mark.parametrize("name", ["a.csv", "A.CSV", "a.tsv", "A.TSV", "A.TSV.GZ"])
@pytest.mark.parametrize("column", ["text", "Abstract"])
def test_a_title_in_a_table_is_read_as_pubmeds(name: str, column: str, tmp_path: Path) -> None:
    rows = [("pmid", "Title", column), ("7", "On asthma.", "We asked."), ("8", "", "So."),
            ("9", "Alone.", " "), ("10", "", "")]  # fmt: skip
    mark = "," if "csv" in name.lower() else "\t"
    content = "".join(mark.join(row) + "\n" for row in rows).encode()
    packed = gzip.compress(content) if name.endswith(".GZ") else content
    (tmp_path / name).write_bytes(packed)
    rejects = Rejects()
    documents = list(read_documents(tmp_path / name, None, rejects))
    assert [(one.id, one.text) for one in documents] == [
        ("7", "On asthma.\nWe asked."),
        ("8", "So."),
        ("9", "Alone."),
    ]
    kinds = [[(part.kind, part.start, part.end) for part in one.passages] for one in documents]
    second = column.lower()
    assert kinds == [[("title", 0, 10), (second, 11, 20)], [(second, 0, 3)], [("title", 0, 6)]]
    assert [one.place for one in rejects.kept] == ["5"]


def test_a_table_of_titles_alone_has_them_as_its_texts(tmp_path: Path) -> None:
    documents, _ = read(tmp_path / "a.csv", "tsv", "id,title,label\n1,On asthma.,good\n")
    assert [(one.id, one.text, one.labels) for one in documents] == [("1", "On asthma.", ("good",))]


@pytest.mark.parametrize("header", ["id;text;label", '"id";"Text";"label"', "\ufeffid;text;label"])
def test_semicolons_part_the_cells_where_the_header_shows_them(header: str, tmp_path: Path) -> None:
    content = f'{header}\r\n1;Gout, again.;good\r\n2;"One; two";bad\r\n'
    documents, rejects = read(tmp_path / "a.csv", "tsv", content)
    assert [(one.text, one.labels) for one in documents] == [
        ("Gout, again.", ("good",)),
        ("One; two", ("bad",)),
    ]
    documents, _ = read(tmp_path / "a.csv", "tsv", "id,text,label\n1,One; two,bad\n")
    assert [(one.text, one.labels) for one in documents] == [("One; two", ("bad",))]
    assert rejects.count == 0


@pytest.mark.parametrize("ending", ["tsv", "csv"])
@given(st.lists(st.text('ab\r\n",;', min_size=1, max_size=8), min_size=1, max_size=3))
def test_line_ends_of_every_kind_come_back(ending: str, texts: list[str]) -> None:
    documents = [
        Document(str(number), f"Of {text}.", labels=("yes",)) for number, text in enumerate(texts)
    ]
    file = InMemoryFile(f"a.{ending}")
    write_documents(documents, file)
    rejects = Rejects()
    found = list(read_documents(file, None, rejects))
    assert rejects.count == 0, rejects.kept
    assert [(one.text, one.labels) for one in found] == [
        (one.text, one.labels) for one in documents
    ]
