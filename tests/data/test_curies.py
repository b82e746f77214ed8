"""Concept identifiers in every spelling, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.data.curies import as_mentioned, bare, by_number, curie, curies, joined, prefixed


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
        ("c|SUB|C|12|T", "SequenceVariant", ("tmvar:c%7CSUB%7CC%7C12%7CT",)),
        ("tmVar:p|SUB|R|5|W;rs77", "", ("tmvar:p%7CSUB%7CR%7C5%7CW", "dbsnp:rs77")),
    ],
)
def test_spellings(raw: str, label: str, expected: tuple[str, ...]) -> None:
    assert curies(raw, label) == expected


@given(st.sampled_from(["mesh:D", "mesh:C", "omim:"]), st.integers(100_000, 9_999_999))
def test_what_formats_write_is_read_back(prefix: str, number: int) -> None:
    one = f"{prefix}{number}"
    assert curie(bare(one)) == one
    assert curie(prefixed(one)) == one


def test_a_bare_number_is_what_a_mention_of_it_is() -> None:
    known = by_number(["mesh:D000001", "ncbigene:6528", "omim:6528"])
    assert as_mentioned(["id:6528", "id:7", "mesh:D000001"], known) == (
        "ncbigene:6528",
        "id:7",
        "mesh:D000001",
    )


def test_variants_beside_others_are_read_back() -> None:
    some = ("tmvar:c%7CSUB%7CC%7C12%7CT", "dbsnp:rs77")
    assert curies(joined(map(bare, some))) == some
    assert curies(joined(map(prefixed, some))) == some
    assert joined(["D1", "D2"]) == "D1|D2"


@given(st.text(max_size=30), st.text(max_size=10))
def test_any_field_gives_curies_or_nothing(raw: str, label: str) -> None:
    for one in curies(raw, label):
        prefix, colon, local = one.partition(":")
        assert prefix and colon and local
