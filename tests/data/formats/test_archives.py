"""Zip archives that cannot be read say why."""

import zipfile
from pathlib import Path

import pytest

from biobert.core.errors import BadInputError
from biobert.data.formats._archives import zip_members

FLAGS = {b"PK\x03\x04": 6, b"PK\x01\x02": 8}
"""Where a member's flags stand behind the start of its local and its central header."""
NEWER = 93
"""Zstandard among the ways of packing; it stands behind the flags."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as writing:
        writing.writestr("a.xml", "<a/>")
        writing.writestr("b.txt", "no")
    return tmp_path / "some.zip"


def test_members_of_an_ending_come_in_order(archive: Path) -> None:
    assert list(zip_members(archive, ending=".xml", largest=100)) == [("a.xml", b"<a/>")]
    assert list(zip_members(archive, ending=".xml", largest=2)) == [("a.xml", None)]


def test_a_locked_member_is_named(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    for start, flags in FLAGS.items():
        content[content.index(start) + flags] |= 1
    archive.write_bytes(content)
    with pytest.raises(BadInputError, match=r"a\.xml is locked with a password"):
        list(zip_members(archive, ending=".xml", largest=100))


def test_another_way_of_packing_is_named(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    for start, flags in FLAGS.items():
        content[content.index(start) + flags + 2] = NEWER
    archive.write_bytes(content)
    with pytest.raises(BadInputError, match=r"not supported; pack it anew, with deflate"):
        list(zip_members(archive, ending=".xml", largest=100))


def test_a_cut_archive_is_named(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(BadInputError, match="damaged archive"):
        list(zip_members(archive, ending=".xml", largest=100))
