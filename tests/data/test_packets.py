"""Cutting sources into packets loses nothing, whatever the size of blocks and packets."""

import gzip
import json
from pathlib import Path

import pytest

from biobert.core.document import Document
from biobert.data import packets
from biobert.data.catalogue import load_corpus
from biobert.data.packets import Packet, documents_of, packets_of, units_of
from biobert.data.places import CorpusPlaces
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from biobert.data.sources import Source, find_sources, survey
from tests.data.articles import jats, prose, pubmed, write_tar


def sources_in(folder: Path, *names: str) -> list[Source]:
    chosen = [str(folder / name) for name in names] or [str(folder)]
    found = find_sources(chosen, format=None, places=CorpusPlaces(folder))
    return list(survey(found, workers=1).sources)


def read(folder: Path, *names: str, size: int = 1 << 20) -> tuple[list[Document], Rejects]:
    """All documents of files by way of packets."""
    documents, rejects = [], Rejects()
    for packet in cut(folder, *names, size=size):
        rejects.extend(packet.rejects)
        for piece in packet.pieces:
            documents += documents_of(piece, rejects)
    return documents, rejects


def cut(folder: Path, *names: str, size: int) -> list[Packet]:
    units = units_of(sources_in(folder, *names), size)
    return [one for number, unit in enumerate(units) for one in packets_of(unit, number, size)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "in"
    place.mkdir()
    articles: dict[str, str | bytes] = {f"PMC{one}.nxml": jats(one) for one in range(8)}
    write_tar(place / "a.tar.xz", {**articles, "read.me": "no article"})
    (place / "b.xml.gz").write_bytes(gzip.compress(pubmed(list(range(100, 120))).encode()))
    lines = [json.dumps({"id": f"n{one}", "text": prose(one)}) for one in range(200, 210)]
    (place / "c.jsonl").write_text("\n".join([*lines, "", "{broken", '{"text": "last"}']))
    for one in range(300, 310):
        (place / f"d{one}.txt").write_text(prose(one))
    (place / "e.pubtator").write_text(f"9000001|t|Title\n9000001|a|{prose(400)}\n\n")
    return place


@pytest.mark.parametrize("size", [1, 700, 5000, 1 << 20])
def test_the_same_documents_come_as_when_files_are_read_whole(folder: Path, size: int) -> None:
    documents, rejects = read(folder, size=size)
    expected, other = [], Rejects()
    for path in sorted(folder.iterdir()):
        expected += read_documents(path, None, other)
    assert [(one.id, one.text) for one in documents] == [(one.id, one.text) for one in expected]
    assert (rejects.count, [one.place for one in rejects.kept]) == (1, ["12"])


def test_packets_are_of_the_size_asked_for_and_can_be_taken_up_anywhere(folder: Path) -> None:
    (unit,) = units_of(sources_in(folder), 1 << 20)
    every = list(packets_of(unit, 3, 3000))
    assert len(every) > 5
    assert [(one.unit, one.number) for one in every] == [(3, place) for place in range(len(every))]
    for one in every:
        assert len(one.pieces) == 1 or sum(piece.size for piece in one.pieces) <= 3000
    again = list(packets_of(unit, 3, 3000, first=4))
    assert [one.pieces for one in again] == [one.pieces for one in every[4:]]


def test_small_files_share_a_unit_and_large_ones_stand_alone() -> None:
    sizes = [10, 20, 500, 30, 40, 60, 5]
    sources = [Source(str(size), Path(), "text", bytes=size) for size in sizes]
    units = [[one.bytes for one in unit] for unit in units_of(sources, 100)]
    assert units == [[10, 20], [500], [30, 40], [60, 5]]


@pytest.mark.parametrize("block", [1, 13, 100, 1 << 20])
def test_citations_are_cut_wherever_blocks_end(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packets, "CHUNK_BYTES", block)
    book = (
        "<PubmedBookArticle><BookDocument><PMID>7</PMID><ArticleTitle>On books</ArticleTitle>"
        "</BookDocument></PubmedBookArticle >"
    )
    (tmp_path / "a.xml").write_text(pubmed([1, 2], more=book, deleted=(3,)))
    documents, rejects = read(tmp_path)
    assert [one.id for one in documents] == ["1", "2", "7"]
    assert documents[0].text == f"On matter 1.\n{prose(1)}"
    assert rejects.count == 0


@pytest.mark.parametrize("block", [1, 100, 1 << 20])
@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-16-be"),
        ("UTF-16", "utf-8"),  # said by programs that write UTF-8
        ("zlib", "utf-8"),  # a codec of Python's, but no encoding
    ],
)
def test_citations_are_read_in_the_encoding_of_their_file(
    declared: str, encoding: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packets, "CHUNK_BYTES", block)
    text = pubmed([1, 2], deleted=(3,)).replace("utf-8", declared).replace("matter", "Ménière")
    (tmp_path / "a.xml").write_bytes(text.encode(encoding))
    sources = find_sources([str(tmp_path)], format="pubmed", places=CorpusPlaces(tmp_path))
    assert survey(sources, workers=1).deleted == {"3"}
    (packet,) = packets_of(tuple(sources), 0, 1 << 20)
    documents = [one for piece in packet.pieces for one in documents_of(piece, packet.rejects)]
    assert [one.text.partition("\n")[0] for one in documents] == ["On Ménière 1.", "On Ménière 2."]
    assert packet.rejects.count == 0


def test_a_citation_alone_knows_the_entities_of_its_file(tmp_path: Path) -> None:
    written = pubmed([100]).replace("<ArticleTitle>", "<ArticleTitle>&alpha;-synuclein. ")
    (tmp_path / "a.xml").write_text(f'<!DOCTYPE x SYSTEM "x.dtd">{written}')
    (document,), rejects = read(tmp_path, "a.xml")
    assert document.text.startswith("α-synuclein. ")
    assert rejects.count == 0


def test_a_damaged_citation_is_set_aside_alone(tmp_path: Path) -> None:
    record = "<PubmedArticle><MedlineCitation><PMID>{}</PMID>{}</MedlineCitation></PubmedArticle>"
    bad, empty = record.format(66, "<Article>"), record.format(67, "<Article/>")
    text = pubmed([1, 2], more=bad + empty) + pubmed([3])
    (tmp_path / "a.xml").write_text(text[: text.rindex("</Pubmed") - 60])
    documents, rejects = read(tmp_path)
    assert [one.id for one in documents] == ["1", "2"]
    reasons = {(one.place, one.reason.partition(":")[0]) for one in rejects.kept}
    assert reasons == {("PMID 66", "damaged XML"), ("PMID 67", "no text"), ("record", "cut short")}


def test_a_record_without_end_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packets, "LARGEST_RECORD", 5000)
    monkeypatch.setattr(packets, "CHUNK_BYTES", 1000)
    endless = f"<PubmedArticle>{'a' * 50_000}</PubmedArticle>"
    (tmp_path / "a.xml").write_text(pubmed([1], more=endless) + pubmed([2]))
    documents, rejects = read(tmp_path)
    assert [one.id for one in documents] == ["1", "2"]
    assert set(rejects.reasons) == {"too large"}


def test_a_line_without_end_is_set_aside_and_the_count_of_lines_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packets, "LONGEST_LINE", 100)
    (tmp_path / "a.jsonl").write_text(
        '{"text": "one"}\n{"text": "' + "x" * 5000 + '"}\n{broken\n{"text": "two"}'
    )
    documents, rejects = read(tmp_path)
    assert [(one.id, one.text) for one in documents] == [("1", "one"), ("4", "two")]
    assert [(one.place, one.reason[:13]) for one in rejects.kept] == [
        ("2", "line too long"),
        ("3", "not a documen"),
    ]


def test_a_file_without_any_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.xml").write_text("<html/>")
    (tmp_path / "none.jsonl").write_text("")
    _, rejects = read(tmp_path)
    assert [(one.file, one.reason) for one in rejects.kept] == [
        ("none.jsonl", "no record: nothing in this file reads as jsonl"),
        ("page.xml", "no record: nothing in this file reads as pubmed"),
    ]


def test_the_licence_of_a_catalogue_is_given_to_its_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(prose(1))
    (source,) = sources_in(tmp_path)
    with_licence = Source(source.name, source.path, "text", licence="CC BY 4.0", bytes=10)
    (packet,) = packets_of((with_licence,), 0, 1000)
    (document,) = documents_of(packet.pieces[0], Rejects())
    assert document.metadata["licence"] == "CC BY 4.0"


def test_of_a_split_that_shares_its_file_the_own_documents_are_read(tmp_path: Path) -> None:
    archive = tmp_path / load_corpus("HoC").splits["train"].path
    archive.parent.mkdir(parents=True)
    texts: dict[str, str | bytes] = {f"text/{one}.txt": prose(one) for one in range(30)}
    write_tar(archive, {**texts, **{f"labels/{one}.txt": " < " for one in range(30)}})
    found: dict[str, list[str]] = {}
    for split in ("train", "devel", "test"):
        sources = find_sources(
            [f"HoC:{split}"], format=None, places=CorpusPlaces(tmp_path, tmp_path)
        )
        (packet,) = packets_of(tuple(sources), 0, 1 << 20)
        read = [one for piece in packet.pieces for one in documents_of(piece, Rejects())]
        assert {one.metadata["licence"] for one in read} == {"GPL-3.0"}
        found[split] = [one.id for one in read]
    every = [int(one) for identifiers in found.values() for one in identifiers]
    assert sorted(every) == list(range(30))
    assert len(found["train"]) > len(found["test"]) > 0


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize("ending", ["txt", "jsonl", "tsv"])
def test_other_encodings_are_read_and_what_is_lost_is_counted(
    ending: str, size: int, tmp_path: Path
) -> None:
    text = "Ménière disease"
    lines = json.dumps({"text": text}, ensure_ascii=False) + "\n"
    content = {"txt": text, "jsonl": lines * 3, "tsv": f"text\n{text}\n"}[ending]
    (tmp_path / f"latin.{ending}").write_bytes(content.encode("latin-1"))
    (tmp_path / f"wide.{ending}").write_bytes(content.encode("utf-16"))
    documents, rejects = read(tmp_path, size=size)
    times = content.count("{") or 1
    assert [one.text for one in documents] == ["M\ufffdni\ufffdre disease"] * times + [text] * times
    (reject,) = rejects.kept
    assert (reject.file, reject.place) == (f"latin.{ending}", "file")
    assert reject.reason.startswith(f"not UTF-8: {2 * times} characters ")
