"""Files and streams, packed or not, read and written."""

import bz2
import gzip
import io
import lzma
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.errors import BadInputError
from biobert.core.files import (
    beginning_of_input,
    bounded_lines,
    open_binary,
    open_text,
    plain_name,
    shown_name,
    writable,
    write_text,
)


def none_lost(count: int) -> None:
    raise AssertionError(f"{count} characters were lost")


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


def test_a_name_that_is_no_utf8_can_be_written() -> None:
    path = Path("in") / os.fsdecode(b"caf\xe9.XML.gz")
    assert shown_name(path) == "caf\ufffd.XML.gz"
    assert plain_name(path) == "caf\ufffd.xml"
    assert shown_name("in/café.txt") == "café.txt"
    assert writable("a\udce9\ud800b") == "a\ufffd\ufffdb"
