"""The shared words: documents, settings, shelves, files."""

import bz2
import gzip
import io
import lzma
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.decoding import BLOCK_BYTES
from biobert.core.document import Document, Entity, Span
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import (
    Memory,
    beginning_of_input,
    bounded_lines,
    open_binary,
    open_text,
    plain_name,
    write_text,
)
from biobert.core.settings import from_mapping, override, read_toml, to_mapping
from biobert.core.shelf import Shelf, unknown_name

UNICODE = st.characters(exclude_categories=["Cs"])


def none_lost(count: int) -> None:
    raise AssertionError(f"{count} characters were lost")


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = Inner()
    count: int | None = None


def test_settings_come_from_tables_and_go_back() -> None:
    values = {"name": "a", "inner": {"rate": 1, "words": ["x", "y"]}, "count": 3}
    found = from_mapping(Outer, values, place="a.toml")
    assert found == Outer("a", Inner(1.0, ("x", "y")), 3)
    assert from_mapping(Outer, to_mapping(found), place="again") == found


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "name"),
        ({"name": 3}, r"name.*3"),
        ({"name": "a", "cuont": 1}, "count"),
        ({"name": "a", "inner": {"rat": 1}}, "rate"),
        ({"name": "a", "inner": {"rate": "fast"}}, "fast"),
        ({"name": "a", "inner": {"rate": float("nan")}}, "nan"),
        ({"name": "a", "inner": 4}, "inner"),
    ],
)
def test_wrong_settings_name_value_place_and_cure(values: dict[str, object], message: str) -> None:
    with pytest.raises(BiobertError, match=message) as caught:
        from_mapping(Outer, values, place="recipe.toml")
    assert "recipe.toml" in str(caught.value)


def test_assignments_change_a_copy() -> None:
    tables = {"a": {"b": 1}}
    changed = override(tables, ["a.b=5e-5", "a.c=word", "d.e=[1, 2]", 'f="x=y"'])
    assert changed == {"a": {"b": 5e-5, "c": "word"}, "d": {"e": [1, 2]}, "f": "x=y"}
    assert tables == {"a": {"b": 1}}
    for wrong, words in (("nothing", r"table\.key=value"), ("a.b.c=1", "is a value, not a table")):
        with pytest.raises(BadInputError, match=words) as caught:
            override(tables, [wrong])
        assert caught.value.code == "usage"


def test_broken_toml_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("x = 1\ny = = 2\n")
    with pytest.raises(BadInputError, match=r"a\.toml.*line 2"):
        read_toml(tmp_path / "a.toml")


def test_a_shelf_lists_and_loads_its_modules() -> None:
    shelf = Shelf("biobert.data.formats", "format")
    assert "pubtator" in shelf.names()
    assert shelf.load("bioc-xml").__name__ == "biobert.data.formats.bioc_xml"
    with pytest.raises(BiobertError, match=r"format 'pubtatr'.*pubtator"):
        shelf.load("pubtatr")
    assert unknown_name("thing", "x", ["y"]).code == "unknown-name"


def test_documents_refuse_what_cannot_be() -> None:
    with pytest.raises(BadInputError, match="start must be < end"):
        Entity(5, 5, "Gene")
    with pytest.raises(BadInputError, match="probability"):
        Entity(0, 5, "Gene", score=1.5)
    with pytest.raises(BadInputError, match="beyond the text of 3 characters"):
        Document("1", "abc", entities=(Entity(0, 4, "Gene"),))
    with pytest.raises(BadInputError, match="fragments"):
        Entity(0, 9, "Gene", fragments=(Span(0, 2), Span(4, 6)))


def test_entities_come_in_text_order() -> None:
    document = Document("1", "abcdef").with_entities([Entity(3, 4, "B"), Entity(0, 2, "A")])
    assert [entity.label for entity in document.entities] == ["A", "B"]


@pytest.mark.parametrize(
    ("ending", "opener"),
    [("", open), (".gz", gzip.open), (".GZ", gzip.open), (".bz2", bz2.open), (".xz", lzma.open)],
)
def test_files_appear_whole_and_packed(ending: str, opener: object, tmp_path: Path) -> None:
    path = tmp_path / f"a.txt{ending}"
    with pytest.raises(RuntimeError), write_text(path) as stream:
        stream.write("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with write_text(path) as stream:
        stream.write("naïve\r\nβ\n")
    with open_text(path, none_lost) as stream:
        assert stream.read() == "naïve\r\nβ\n"
    with opener(path, "rb") as packed:  # type: ignore[operator]
        assert packed.read() == "naïve\r\nβ\n".encode()


def given_input(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    given = io.TextIOWrapper(io.BufferedReader(io.BytesIO(content)), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", given)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("length", [0, 3, 300_000])
def test_standard_input_is_unpacked_as_it_begins(
    pack: Callable[[bytes], bytes], length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of random letters, so that what is packed is longer than what is looked at first.
    text = "".join(random.Random(1).choices("abcdefghéβ\r\n", k=length))
    given_input(monkeypatch, pack(text.encode()))
    for _ in range(2):
        head = beginning_of_input()
        assert text.encode().startswith(head) and len(head) >= min(length, 100)
    with open_text("-", none_lost) as stream:
        assert stream.read() == text


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("share", [0.0001, 0.5, 0.9999])
@pytest.mark.parametrize("damage", ["cut short", "overwritten"])
def test_packed_standard_input_that_is_damaged_says_so(
    pack: Callable[[bytes], bytes], share: float, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pack(random.Random(1).randbytes(300_000))
    place = max(16, int(share * len(whole)))
    rest = bytes(len(whole) - place) if damage == "overwritten" else b""
    given_input(monkeypatch, whole[:place] + rest)
    with pytest.raises(BadInputError, match="standard input: damaged or cut short"):
        beginning_of_input()
        with open_binary("-") as stream:
            stream.read()


@pytest.mark.parametrize("text", ["BZh9 is a gene.", "BZh", "\x1f\x8b", "\xfd7zXZ", ""])
def test_a_text_that_begins_nearly_as_packed_files_do_is_read_as_it_is(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_input(monkeypatch, text.encode("latin-1"))
    with open_binary("-") as stream:
        assert stream.read() == text.encode("latin-1")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("in/a.xml", "a.xml"),
        ("a.xml.gz", "a.xml"),
        ("A.XML.GZ", "A.xml"),
        ("a.b.Jsonl.bz2", "a.b.jsonl"),
        ("a.tar.xz", "a.tar"),
        ("a.TGZ", "a.tar"),
        ("a.tbz2", "a.tar"),
        ("a.txz", "a.tar"),
        ("README", "README"),
        ("README.gz", "README"),
    ],
)
def test_a_plain_name_tells_the_format(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_a_byte_order_mark_goes_and_bad_bytes_are_marked(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfab\xffc")
    lost: list[int] = []
    with open_text(tmp_path / "a", lost.append) as stream:
        assert stream.read() == "ab�c"
    assert lost == [1]


@given(st.text(UNICODE, max_size=40), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_any_text_is_decoded_as_its_mark_tells(text: str, encoding: str) -> None:
    whole = text.lstrip("\ufeff\0")  # of which a mark is made
    with open_text(Memory("a", whole.encode(encoding)), none_lost) as stream:
        assert stream.read() == whole


@given(st.binary(max_size=80))
def test_what_is_lost_is_what_python_replaces(content: bytes) -> None:
    lost: list[int] = []
    with open_text(Memory("a", b"\xef\xbb\xbf" + content), lost.append) as stream:
        assert stream.read() == content.decode("utf-8", "replace")
    kept = content.decode("utf-8", "ignore").count("�")
    assert sum(lost) == content.decode("utf-8", "replace").count("�") - kept


def test_a_character_is_whole_wherever_blocks_of_the_file_end(tmp_path: Path) -> None:
    for size in range(BLOCK_BYTES - 5, BLOCK_BYTES + 2):
        text = f"{'a' * size}β\U0001f600\ufffdé" * 2
        with open_text(Memory("a", text.encode()), none_lost) as stream:
            assert stream.read() == text


@given(st.lists(st.text(alphabet="ab", max_size=12), max_size=8))
def test_long_lines_are_skipped_and_the_others_kept(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "a"
    path.write_text("".join(f"{line}\n" for line in lines))
    with open_text(path, none_lost) as stream:
        found = list(bounded_lines(stream, 6))
    assert [number for number, _ in found] == list(range(1, len(lines) + 1))
    for line, (_, got) in zip(lines, found, strict=True):
        assert got == (f"{line}\n" if len(line) <= 6 else None)


def test_links_and_pipes_stay_what_they_are(tmp_path: Path) -> None:
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(tmp_path / "target")
    with write_text(link) as stream:
        stream.write("linked")
    assert link.is_symlink()
    assert (tmp_path / "target").read_text() == "linked"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with write_text(pipe) as stream:
        stream.write("piped")
    assert os.read(reader, 100) == b"piped"
    os.close(reader)
    assert pipe.is_fifo()
