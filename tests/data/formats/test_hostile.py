"""Files that break or attack a reader end in a clear error or a counted reject, and stay small."""

import bz2
import gzip
import io
import json
import lzma
import subprocess
import sys
import tarfile
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import open_text
from biobert.data.beginnings import format_of_beginning
from biobert.data.formats import SHELF
from biobert.data.reading import format_of, read_documents
from biobert.data.rejects import Rejects

READABLE = [name for name in SHELF.names() if hasattr(SHELF.load(name), "read")]
FILES = [name for name in READABLE if name != "brat"]
BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">
<!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;"><!ENTITY g SYSTEM "file:///etc/passwd">
<!ENTITY h SYSTEM "http://127.0.0.1:9/x">]>"""
XML = {
    "pubmed": "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article>"
    "<ArticleTitle>Title %s</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
    "</PubmedArticleSet>",
    "bioc-xml": "<collection><source/><date/><key/><document><id>1</id><passage><offset>0</offset>"
    "<text>Title %s</text></passage></document></collection>",
    "ddi": '<document id="1"><sentence id="1.s0" text="Title %s"/></document>',
    "jats": "<article><front><article-meta><title-group><article-title>Title %s</article-title>"
    "</title-group></article-meta></front></article>",
}


def read(path: Path, format: str) -> tuple[list[Document], Rejects]:
    """What comes of a file: documents and rejects, or a clear error."""
    rejects = Rejects()
    return list(read_documents(path, format, rejects)), rejects


def survives(path: Path, format: str) -> str:
    """Read a hostile file; the texts that came of it."""
    try:
        documents, rejects = read(path, format)
    except BadInputError as problem:
        assert path.stem.split(".")[0] in str(problem)
        return ""
    with open_text(path, lambda lost: None) as stream:
        blank = not stream.read().strip()
    assert documents or rejects.count or blank
    return " ".join(document.text for document in documents)


@pytest.mark.parametrize("format", XML)
@pytest.mark.parametrize("entity", ["f", "g", "h"])
def test_entities_neither_grow_nor_reach_out(format: str, entity: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xml"
    path.write_text(BOMB + XML[format] % f"&{entity};")
    tracemalloc.start()
    text = survives(path, format)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(text) < 1000
    assert "root:" not in text
    assert peak < 20_000_000


@pytest.mark.parametrize("entity", ["f", "g", "h"])
def test_a_format_is_told_from_no_more_than_the_beginning(entity: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xml.gz"
    with gzip.open(path, "wt") as stream:
        stream.write(f'{BOMB}<article a="&{entity};">')
        stream.write("<p>" * 3_000_000)
    tracemalloc.start()
    assert format_of(path) in ("jats", "pubmed")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("format", FILES)
@pytest.mark.parametrize(
    ("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_archives_that_break_off_say_so(
    format: str, ending: str, pack: object, tmp_path: Path
) -> None:
    whole = pack(b'{"text": "Cancer."}\n' * 2000)  # type: ignore[operator]
    path = tmp_path / f"short{ending}"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInputError, match=r"short.*(damaged|cut short|well-formed)"):
        for _ in read_documents(path, format, Rejects()):
            pass


@pytest.mark.parametrize("format", FILES)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 500,
        b"\xff\xfe" + "Cancer\n".encode("utf-16-le") * 50,
        b"\xef\xbb\xbf",
        b"\x80\x81\xfe\xff" * 100,
        b"\r\n" * 200,
        b"{" * 5000,
        b"[" * 100_000,
        b"<a>" * 5000,
        b"1|t|\n1|a|\n1\t-5\t99999999999999999999\tx\tDisease\n\n",
        b'{"text": "a", "entities": [{"start": -1, "end": 5, "label": "X"}]}\n',
        b'{"text": "\\ud800 lone", "entities": []}\n',
        b'{"text": 7}\n{"no": 1}\nnull\n[]\n"x"\n',
        b"word\n" * 300,
    ],
)
def test_rubbish_is_refused_or_counted(format: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rubbish.dat"
    path.write_bytes(content)
    survives(path, format)


@pytest.mark.parametrize("format", [*FILES])
@given(content=st.binary(max_size=300))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_end_well(format: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bytes.dat"
    path.write_bytes(content)
    survives(path, format)


@given(content=st.binary(max_size=200) | st.text('{}[]":,\\ a<>?|\t', max_size=60).map(str.encode))
def test_any_beginning_tells_a_format_or_is_refused(content: bytes) -> None:
    try:
        assert format_of_beginning(content) in READABLE
    except BadInputError as problem:
        assert "--from" in str(problem)


@pytest.mark.parametrize("beginning", ['"', '{"', '{"a\\"', "[", "{[", "<", "<!--", "a|", "\\"])
def test_a_beginning_without_end_takes_linear_time(beginning: str) -> None:
    content = (beginning * (1 << 18))[: 1 << 18].encode()
    began = time.process_time()
    format_of_beginning(content)
    assert time.process_time() - began < 10


@pytest.mark.parametrize("format", ["jsonl", "pubtator", "conll", "tsv"])
def test_a_bomb_in_one_line_stays_small(format: str, tmp_path: Path) -> None:
    path = tmp_path / "line.gz"
    with gzip.open(path, "wb") as stream:
        for _ in range(300):
            stream.write(b"a" * 1_000_000)
    tracemalloc.start()
    documents, rejects = read(path, format)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rejects.count >= 1
    assert all(len(document.text) < 1000 for document in documents)
    assert peak < 300_000_000


def test_wrong_places_in_pubtator_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.pubtator"
    path.write_text(
        "1|t|Cancer is old\n1|a|Yes\n"
        "1\t0\t6\tCancer\tDisease\tD009369\n"
        "1\t0\t6\tTumour\tDisease\tD009369\n"
        "1\t90\t96\tCancer\tDisease\tD009369\n"
        "1\tCID\t-1\tD009369\n"
        "loose line\n\n"
    )
    (document,), rejects = read(path, "pubtator")
    assert [document.mention(entity) for entity in document.entities] == ["Cancer"]
    assert rejects.count == 4
    assert {reject.place for reject in rejects.kept} == {"4", "5", "6", "7"}


def test_archives_with_odd_members_yield_only_articles(tmp_path: Path) -> None:
    path = tmp_path / "articles.tar.xz"
    article = (XML["jats"] % "one").encode()
    with tarfile.open(path, "w:xz") as archive:
        for name, kind, content in [
            ("../../escape.nxml", tarfile.REGTYPE, article),
            ("good.nxml", tarfile.REGTYPE, article),
            ("broken.nxml", tarfile.REGTYPE, b"<article><front>"),
            ("link.nxml", tarfile.SYMTYPE, b""),
            ("device.nxml", tarfile.CHRTYPE, b""),
            ("notes.txt", tarfile.REGTYPE, b"no article"),
        ]:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(content), "/etc/passwd"
            archive.addfile(member, io.BytesIO(content))
    documents, rejects = read(path, "jats")
    assert [document.text for document in documents] == ["Title one", "Title one"]
    assert [reject.file for reject in rejects.kept] == ["broken.nxml"]
    assert sorted(tmp_path.iterdir()) == [path]


def test_brat_without_annotations_or_with_wrong_ones(tmp_path: Path) -> None:
    folder = tmp_path / "brat"
    folder.mkdir()
    (folder / "a.txt").write_text("Cancer is old.")
    (folder / "b.txt").write_text("Cancer is old.")
    (folder / "b.ann").write_text(
        "T1\tDisease 0 6\tCancer\nT2\tDisease 0 99\tCancer\nT3\tDisease x y\tCancer\n"
        "N1\tReference T1 MESH:D009369\tCancer\nE1\tEvent:T1\nA1\tNegated T1\nnonsense\n"
    )
    documents, rejects = read(folder, "brat")
    assert [len(document.entities) for document in documents] == [0, 1]
    assert documents[1].entities[0].concept_ids == ("mesh:D009369",)
    assert rejects.count == 5


@pytest.mark.parametrize("content", ["true", "null", "7", '"text"', '{"documents": 7}', "[[]]"])
def test_json_that_is_no_collection_is_counted(content: str, tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    path.write_text(content)
    documents, rejects = read(path, "bioc-json")
    assert documents == [] and rejects.count == 1


def test_deep_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text(json.dumps({"documents": []})[:-2] + "[" * 200_000)
    survives(path, "bioc-json")


MILLION = 1_000_000
AROUND_RECORDS = {
    "elements": b"<PubmedArticleSet>" + b"<a/>" * MILLION + b"</PubmedArticleSet>",
    "nested": b"<PubmedArticleSet>" + b"<a><b/>c</a>" * MILLION + b"</PubmedArticleSet>",
    "entities": b"<PubmedArticleSet>" + b"&x;" * MILLION + b"</PubmedArticleSet>",
    "comments": b"<PubmedArticleSet>" + b"<!---->" * MILLION + b"</PubmedArticleSet>",
    "prologue": b"<!---->" * MILLION + b"<PubmedArticleSet/>",
}
# libxml2's memory is seen by the system alone; what is done before counts as well.
PEAK = """
import resource, sys
from biobert.data.reading import read_documents
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
assert list(read_documents(sys.argv[1])) == []
before = peak()
assert all(list(read_documents(path)) == [] for path in sys.argv[2:])
print(peak() - before)
"""


def test_xml_that_holds_no_records_stays_small(tmp_path: Path) -> None:
    paths = [tmp_path / "none.xml.gz", *(tmp_path / f"{one}.xml.gz" for one in AROUND_RECORDS)]
    for path, content in zip(
        paths, [b"<PubmedArticleSet/>", *AROUND_RECORDS.values()], strict=True
    ):
        path.write_bytes(gzip.compress(content, 1))
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *paths], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 30


def test_records_are_found_among_other_elements(tmp_path: Path) -> None:
    record = XML["pubmed"].removeprefix("<PubmedArticleSet>").removesuffix("</PubmedArticleSet>")
    path = tmp_path / "a.xml"
    others = "<x><y>z</y><!-- c -->&none;</x>" * 3000
    records = "".join(record % number + others for number in range(40))
    path.write_text(f"<PubmedArticleSet>{others}<Group>{records}</Group></PubmedArticleSet>")
    documents, rejects = read(path, "pubmed")
    assert [one.text for one in documents] == [f"Title {number}" for number in range(40)]
    assert rejects.count == 0


def test_a_record_of_too_many_elements_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.bioc.xml"
    whole = XML["bioc-xml"] % "one"
    crowded = "<annotation/>" * MILLION
    start = whole.index("<document>")
    text = whole[:start] + whole[start:].removesuffix("</collection>")
    path.write_text(f"{text}<document><id>2</id>{crowded}</document></collection>")
    found = read_documents(path, "bioc-xml")
    assert next(found).text == "Title one"
    with pytest.raises(BadInputError, match="a record of more than 500000 elements"):
        next(found)


def tar_of(*headers: tuple[bytes, int]) -> bytes:
    """An archive whose headers have these types and sizes, and nothing but `a` in them."""
    blocks = b""
    for kind, size in headers:
        member = tarfile.TarInfo("long")
        member.type, member.size = kind, size
        blocks += member.tobuf(tarfile.GNU_FORMAT) + b"a" * (-(-size // 512) * 512)
    return blocks + b"\0" * 1024


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (tar_of((tarfile.GNUTYPE_LONGNAME, 50 * MILLION)), "a header of 50000000 bytes"),
        (tar_of((tarfile.GNUTYPE_LONGLINK, 50 * MILLION)), "a header of 50000000 bytes"),
        (tar_of((tarfile.XHDTYPE, 50 * MILLION)), "a header of 50000000 bytes"),
        (tar_of((tarfile.XGLTYPE, 50 * MILLION)), "a header of 50000000 bytes"),
        (tar_of((tarfile.GNUTYPE_SPARSE, 0)), "a file with holes"),
        (tar_of(*[(tarfile.GNUTYPE_LONGNAME, 5)] * 2000), "damaged archive"),
    ],
)
def test_headers_of_archives_stay_small(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "articles.tgz"
    path.write_bytes(gzip.compress(content, 1))
    del content
    tracemalloc.start()
    with pytest.raises(BadInputError, match=words):
        read(path, "jats")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_long_names_of_honest_archives_are_read(tmp_path: Path) -> None:
    path = tmp_path / "articles.tgz"
    article = (XML["jats"] % "one").encode()
    for format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(path, "w:gz", format=format) as archive:
            member = tarfile.TarInfo("a" * 300 + "é.nxml")
            member.size = len(article)
            archive.addfile(member, io.BytesIO(article))
        assert [one.text for one in read(path, "jats")[0]] == ["Title one"]
