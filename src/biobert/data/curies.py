"""Concept identifiers as CURIEs: `mesh:D009369`, `omim:215600`, `ncbitaxon:9606`."""

import re
from collections.abc import Iterable, Mapping

# Of MeSH's numbers none has seven digits, as all of UMLS's have.
MESH, UMLS = re.compile(r"[CD](?:\d{6}|\d{8,})"), re.compile(r"C\d{7}")
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
    "ca#": "caid",
}
# What a bare number means, by the type of the mention.
NUMBER_PREFIXES = {
    "gene": "ncbigene",
    "geneormutation": "ncbigene",
    "geneorgeneproduct": "ncbigene",
    "species": "ncbitaxon",
    "organismtaxon": "ncbitaxon",
}
NOTHING = frozenset({"", "-", "-1", "none", "null", "na", "n/a", "nil", "cui-less"})
# A prefix may stand twice, `GO:GO:0008150`, or with a second one, `species:ncbi:9606`.
PREFIXED = re.compile(
    r"(?P<prefix>\*?[A-Za-z][^:]*)(?::(?i:(?P=prefix)|ncbi))?:(?P<local>.+)", re.DOTALL
)
SEPARATORS = re.compile(r"[|+,;]")
# A variant as tmVar writes it, `c|SUB|C|643|T`: bars that part nothing. In HGVS's words a plus does
# not, `HGVS:c.1799+1G>A`.
VARIANT = re.compile(r"(?:tmvar:)?[a-z]\|[A-Z]*\|", re.IGNORECASE)
VARIANT_SEPARATORS = re.compile(r"[,;]")
VARIANT_PREFIX = "tmvar"
HGVS = re.compile(r"(?:^|[|,;])\s*+hgvs:", re.IGNORECASE)
HGVS_SEPARATORS = re.compile(r"[|,;]")
# What tmVar says besides, and others, as they spell it.
SPELLINGS = {
    "variantgroup": "VariantGroup",
    "correspondinggene": "CorrespondingGene",
    "correspondingspecies": "CorrespondingSpecies",
    "caid": "CA#",
    "http": "http",
    "https": "https",
}
BAR, CODED_BAR = "|", "%7C"


def curies(raw: str, label: str = "") -> tuple[str, ...]:
    """The CURIEs in an identifier field (`D001|MESH:D002`); `-1` and its like give none.

    `label` is the mention's type: it tells what a bare number is.
    """
    found = (curie(part, label) for part in _separators(raw).split(raw))
    return tuple(dict.fromkeys(one.replace(BAR, CODED_BAR) for one in found if one))


def curie(raw: str, label: str = "") -> str:
    """One identifier as a CURIE, or the empty string for none."""
    value = raw.strip()
    if value.lower() in NOTHING:
        return ""
    if VARIANT.match(value):
        # Coded, because a bar parts one identifier from the next.
        name = re.sub(f"^{VARIANT_PREFIX}:", "", value, flags=re.IGNORECASE)
        return f"{VARIANT_PREFIX}:{name.replace(BAR, CODED_BAR)}"
    if found := PREFIXED.fullmatch(value):
        return _with_prefix(found["prefix"].strip().lower(), found["local"].strip())
    if MESH.fullmatch(value):
        return f"mesh:{value}"
    if UMLS.fullmatch(value):
        return f"umls:{value}"
    if value.isdigit():
        known = NUMBER_PREFIXES.get(re.sub(r"[^a-z]", "", label.lower()))
        return f"{known}:{value}" if known else f"id:{value}"
    if re.fullmatch(r"rs\d+", value):
        return f"dbsnp:{value}"
    if value.startswith("CVCL_"):
        return f"cellosaurus:{value}"
    return f"id:{value}"


def by_number(mentioned: Iterable[str]) -> dict[str, str]:
    """The CURIEs of mentions by what stands behind their prefix: the first of each."""
    known: dict[str, str] = {}
    for one in mentioned:
        known.setdefault(one.partition(":")[2], one)
    return known


def as_mentioned(identifiers: Iterable[str], known: Mapping[str, str]) -> tuple[str, ...]:
    """Identifiers as CURIEs that mentions carry (`by_number`), where a file gives no type that
    tells the prefix: `id:6528` is the `ncbigene:6528` of a mention."""
    return tuple(
        known.get(one.removeprefix("id:"), one) if one.startswith("id:") else one
        for one in identifiers
    )


def joined(identifiers: Iterable[str]) -> str:
    """Identifiers as files write them in one field: bars between, semicolons beside a variant's."""
    names = list(identifiers)
    return (";" if any(BAR in name for name in names) else BAR).join(names)


def bare(identifier: str) -> str:
    """As PubTator writes it: MeSH, gene and species numbers without a prefix, `OMIM:215600`."""
    prefix, _, local = identifier.partition(":")
    if prefix == VARIANT_PREFIX:
        return local.replace(CODED_BAR, BAR)
    if prefix in ("mesh", "ncbigene", "ncbitaxon", "id", "dbsnp", "cellosaurus"):
        return local
    return _spelled(prefix, local)


def prefixed(identifier: str) -> str:
    """As BioC writes it: `MESH:D009369`."""
    prefix, _, local = identifier.partition(":")
    if prefix == VARIANT_PREFIX:
        return local.replace(CODED_BAR, BAR)
    return local if prefix == "id" else _spelled(prefix, local)


def _separators(raw: str) -> re.Pattern[str]:
    if BAR in raw and any(VARIANT.match(one.strip()) for one in VARIANT_SEPARATORS.split(raw)):
        return VARIANT_SEPARATORS
    return HGVS_SEPARATORS if HGVS.search(raw) else SEPARATORS


def _with_prefix(prefix: str, local: str) -> str:
    if local in NOTHING:
        return ""
    if prefix == "rs#":
        return f"dbsnp:rs{local.removeprefix('rs')}"
    return f"{PREFIXES.get(prefix, re.sub('[^a-z0-9]+', '', prefix))}:{local}"


def _spelled(prefix: str, local: str) -> str:
    return f"{SPELLINGS.get(prefix, prefix.upper())}:{local}"
