"""Concept identifiers in every spelling, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.data.curies import bare, curie, curies, prefixed


@pytest.mark.parametrize(
    ("raw", "label", "expected"),
    [
        ("D009369", "Disease", ("mesh:D009369",)),
        ("MESH:D009369", "Disease", ("mesh:D009369",)),
        ("OMIM:215600", "Disease", ("omim:215600",)),
        ("D001|MESH:D000002", "", ("id:D001", "mesh:D000002")),
        ("D000001+D000002", "", ("mesh:D000001", "mesh:D000002")),
        ("9606", "Species", ("ncbitaxon:9606",)),
        ("7157;7158", "Gene", ("ncbigene:7157", "ncbigene:7158")),
        ("-1", "Disease", ()),
        ("-", "Disease", ()),
        ("", "Disease", ()),
        ("MESH:-1", "Disease", ()),
        ("rs4149056", "SNP", ("dbsnp:rs4149056",)),
    ],
)
def test_spellings(raw: str, label: str, expected: tuple[str, ...]) -> None:
    assert curies(raw, label) == expected


@given(st.sampled_from(["mesh:D", "mesh:C", "omim:"]), st.integers(100_000, 9_999_999))
def test_what_formats_write_is_read_back(prefix: str, number: int) -> None:
    one = f"{prefix}{number}"
    assert curie(bare(one)) == one
    assert curie(prefixed(one)) == one


@given(st.text(max_size=30), st.text(max_size=10))
def test_any_field_gives_curies_or_nothing(raw: str, label: str) -> None:
    for one in curies(raw, label):
        prefix, colon, local = one.partition(":")
        assert prefix and colon and local
