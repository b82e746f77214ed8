"""What an article's own licence statement says, as one short name."""

import re
from collections.abc import Mapping

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
CREATIVE_COMMONS = re.compile(r"\bcc[ -]?(by(?:[ -]{1,3}(?:nc|nd|sa))*|0|zero)\b")
DASH = re.compile("[\u2010-\u2015]")
COMMERCIAL, DERIVED, ALIKE = "non[- ]?commercial", "no[- ]?deriv", "share[- ]?alike"
WORDS = (
    ("cc0", re.compile(r"public domain dedication|cc0")),
    ("public-domain", re.compile(r"public[ -]domain|no known copyright")),
    ("cc-by-nc-nd", re.compile(f"{COMMERCIAL}.{{0,60}}{DERIVED}")),
    ("cc-by-nc-sa", re.compile(f"{COMMERCIAL}.{{0,60}}{ALIKE}")),
    ("cc-by-nc", re.compile(f"creative commons.{{0,60}}{COMMERCIAL}")),
    ("cc-by-sa", re.compile(f"attribution.{{0,60}}{ALIKE}")),
    ("cc-by-nd", re.compile(f"attribution.{{0,60}}{DERIVED}")),
    ("cc-by", re.compile(r"creative commons.{0,40}attribution|distributed under .{0,60}cc by")),
)


def licence_of(metadata: Mapping[str, str]) -> str:
    """One of `LICENCES`, from a document's metadata; `unknown` when it says nothing."""
    statement = metadata.get("licence") or metadata.get("license") or ""
    text = DASH.sub("-", " ".join(statement.lower().split()))
    if not text:
        return "unknown"
    if text in LICENCES:
        return text
    if found := ADDRESS.search(text):
        return _named(found.group(1))
    if found := CREATIVE_COMMONS.search(text):
        return _named("-".join(found.group(1).replace("-", " ").split()))
    return next((name for name, pattern in WORDS if pattern.search(text)), "other")


def _named(code: str) -> str:
    if code in ("zero", "0"):
        return "cc0"
    if code in ("mark", "publicdomain"):
        return "public-domain"
    name = f"cc-{code}"
    return name if name in LICENCES else "other"
