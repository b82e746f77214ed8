"""Bytes as text: marks, bad bytes, and where blocks end."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from biobert.core.decoding import BLOCK_BYTES
from biobert.core.files import InMemoryFile, open_text
from tests.core.test_files import none_lost

UNICODE = st.characters(exclude_categories=["Cs"])


def test_a_byte_order_mark_goes_and_bad_bytes_are_marked(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfab\xffc")
    lost: list[int] = []
    with open_text(tmp_path / "a", lost.append) as stream:
        assert stream.read() == "ab�c"
    assert lost == [1]


@given(st.text(UNICODE, max_size=40), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_any_text_is_decoded_as_its_mark_tells(text: str, encoding: str) -> None:
    whole = text.lstrip("\ufeff\0")  # of which a mark is made
    with open_text(InMemoryFile("a", whole.encode(encoding)), none_lost) as stream:
        assert stream.read() == whole


@given(st.binary(max_size=80))
def test_what_is_lost_is_what_python_replaces(content: bytes) -> None:
    lost: list[int] = []
    with open_text(InMemoryFile("a", b"\xef\xbb\xbf" + content), lost.append) as stream:
        assert stream.read() == content.decode("utf-8", "replace")
    kept = content.decode("utf-8", "ignore").count("�")
    assert sum(lost) == content.decode("utf-8", "replace").count("�") - kept


def test_a_character_is_whole_wherever_blocks_of_the_file_end(tmp_path: Path) -> None:
    for size in range(BLOCK_BYTES - 5, BLOCK_BYTES + 2):
        text = f"{'a' * size}β\U0001f600\ufffdé" * 2
        with open_text(InMemoryFile("a", text.encode()), none_lost) as stream:
            assert stream.read() == text
