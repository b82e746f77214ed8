"""What an article's own licence statement says, as one short name."""

import re
from collections.abc import Mapping, Set

LICENCES = (
    "cc0",
    "public-domain",
    "cc-by",
    "cc-by-sa",
    "cc-by-nd",
    "cc-by-nc",
    "cc-by-nc-sa",
    "cc-by-nc-nd",
    "other",
    "unknown",
)

ADDRESS = re.compile(r"creativecommons\.org/(?:licen[cs]es|publicdomain)/([a-z-]+)")
CREATIVE_COMMONS = re.compile(r"\bcc[ -]?(by(?:[ -]{1,3}(?:nc|nd|sa))*)\b")
DASH = re.compile("[\u2010-\u2015]")
ATTRIBUTION = re.compile(
    r"creative commons.{0,60}(?:attribution|non[- ]?commercial)|distributed under .{0,60}cc by"
    r"|attribution[- ](?:non[- ]?commercial|share[- ]?alike|no[- ]?deriv)"
)
LIMITS = {
    "nc": re.compile(r"(?<!commercial and )(?<!commercial or )non[- ]?commercial"),
    "nd": re.compile(r"no[- ]?deriv"),
    "sa": re.compile(r"share[- ]?alike"),
}
"""What an attribution licence may add, by its code; a statement may name it and its address not."""
NOT_PUBLIC = re.compile(r"\b(?:no|not|nor|neither)\b[^.]{0,60}public[ -]domain")
PUBLIC = (
    ("cc0", re.compile(r"public domain dedication|\bcc[ -]?(?:0|zero)\b|publicdomain/zero")),
    ("public-domain", re.compile(r"public[ -]?domain|no known copyright")),
)


def licence_of(metadata: Mapping[str, str]) -> str:
    """One of `LICENCES`, from a document's metadata; `unknown` when it says nothing.

    Of several that a statement names the strictest holds: publishers link to one and write another,
    and give only the data away that come with an article.
    """
    statement = metadata.get("licence") or metadata.get("license") or ""
    text = DASH.sub("-", " ".join(statement.lower().split()))
    if not text:
        return "unknown"
    if text in LICENCES:
        return text
    codes = [*ADDRESS.findall(text), *CREATIVE_COMMONS.findall(text)]
    named = {part for code in codes for part in re.split("[ -]+", code)}
    if "by" in named or ATTRIBUTION.search(text):
        named |= {code for code, pattern in LIMITS.items() if pattern.search(text)}
        return _strictest(named)
    if NOT_PUBLIC.search(text):
        return "other"
    return next((name for name, pattern in PUBLIC if pattern.search(text)), "other")


def _strictest(named: Set[str]) -> str:
    """The attribution licence with these limits; whoever forbids versions allows none alike."""
    limits = [code for code in ("nc", "nd" if "nd" in named else "sa") if code in named]
    return "-".join(["cc-by", *limits])
