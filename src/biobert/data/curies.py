"""Concept identifiers as CURIEs: `mesh:D009369`, `omim:215600`, `ncbitaxon:9606`."""

import re

MESH = re.compile(r"[CD]\d{6,}")
# Prefixes that files spell in several ways.
PREFIXES = {
    "mesh": "mesh",
    "msh": "mesh",
    "omim": "omim",
    "mim": "omim",
    "ncbi gene": "ncbigene",
    "ncbigene": "ncbigene",
    "gene": "ncbigene",
    "entrez": "ncbigene",
    "ncbi taxonomy": "ncbitaxon",
    "ncbitaxon": "ncbitaxon",
    "taxonomy": "ncbitaxon",
    "species": "ncbitaxon",
    "*species": "ncbitaxon",
    "umls": "umls",
    "cellosaurus": "cellosaurus",
}
# What a bare number means, by the type of the mention.
NUMBER_PREFIXES = {
    "gene": "ncbigene",
    "geneormutation": "ncbigene",
    "geneorgeneproduct": "ncbigene",
    "species": "ncbitaxon",
    "organismtaxon": "ncbitaxon",
}
NOTHING = frozenset({"", "-", "-1", "none", "null", "na", "n/a"})
SEPARATORS = re.compile(r"[|+,;]")


def curies(raw: str, label: str = "") -> tuple[str, ...]:
    """The CURIEs in an identifier field (`D001|MESH:D002`); `-1` and its like give none.

    `label` is the mention's type: it tells what a bare number is.
    """
    found = (curie(part, label) for part in SEPARATORS.split(raw))
    return tuple(dict.fromkeys(one for one in found if one))


def curie(raw: str, label: str = "") -> str:
    """One identifier as a CURIE, or the empty string for none."""
    value = raw.strip()
    if value.lower() in NOTHING:
        return ""
    prefix, colon, local = value.rpartition(":")
    if colon and prefix and local:
        return "" if local in NOTHING else f"{_prefix(prefix)}:{local.strip()}"
    if MESH.fullmatch(value):
        return f"mesh:{value}"
    if value.isdigit():
        known = NUMBER_PREFIXES.get(re.sub(r"[^a-z]", "", label.lower()))
        return f"{known}:{value}" if known else f"id:{value}"
    if re.fullmatch(r"rs\d+", value):
        return f"dbsnp:{value}"
    if value.startswith("CVCL_"):
        return f"cellosaurus:{value}"
    return f"id:{value}"


def bare(identifier: str) -> str:
    """As PubTator writes it: MeSH, gene and species numbers without a prefix, `OMIM:215600`."""
    prefix, _, local = identifier.partition(":")
    if prefix in ("mesh", "ncbigene", "ncbitaxon", "id", "dbsnp", "cellosaurus"):
        return local
    return f"{prefix.upper()}:{local}"


def prefixed(identifier: str) -> str:
    """As BioC writes it: `MESH:D009369`."""
    prefix, _, local = identifier.partition(":")
    return local if prefix == "id" else f"{prefix.upper()}:{local}"


def _prefix(raw: str) -> str:
    lower = raw.strip().lower()
    return PREFIXES.get(lower, re.sub(r"[^a-z0-9]+", "", lower))
