"""Concept identifiers in every spelling, and back."""

from collections.abc import Callable

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
        ("RS#:77", "SNP", ("dbsnp:rs77",)),
        ("RS#:rs77", "SNP", ("dbsnp:rs77",)),
        ("C0027051", "Disease", ("umls:C0027051",)),
        ("C000657245|D000086382", "", ("mesh:C000657245", "mesh:D000086382")),
        ("CUI-less", "Disease", ()),
        ("GO:GO:0008150", "", ("go:0008150",)),
        ("species:ncbi:9606", "Species", ("ncbitaxon:9606",)),
        ("HGVS:NM_004333.4:c.1799T>A", "Mutation", ("hgvs:NM_004333.4:c.1799T>A",)),
        ("rs77;HGVS:c.1799+1G>A", "", ("dbsnp:rs77", "hgvs:c.1799+1G>A")),
        ("c|SUB|C|12|T;D1|D2", "", ("tmvar:c%7CSUB%7CC%7C12%7CT", "id:D1%7CD2")),
        ("2026-01-01T10:00", "", ("id:2026-01-01T10:00",)),
    ],
)
def test_spellings(raw: str, label: str, expected: tuple[str, ...]) -> None:
    assert curies(raw, label) == expected


@given(st.sampled_from(["mesh:D", "mesh:C", "omim:"]), st.integers(100_000, 999_999))
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


@pytest.mark.parametrize("spelled", [bare, prefixed])
def test_what_tmvar_says_is_spelled_as_it_does(spelled: Callable[[str], str]) -> None:
    field = (
        "p|SUB|V|600|E;HGVS:p.V600E;VariantGroup:0;CorrespondingGene:673;"
        "CorrespondingSpecies:9606;CA#:123643"
    )
    found = curies(f"tmVar:{field};RS#:113488022", "Mutation")
    assert found[-1] == "dbsnp:rs113488022"
    assert joined(map(spelled, found[:-1])) == field
    assert curies(joined(map(spelled, found))) == found


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
