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
CREATIVE_COMMONS = re.compile(r"\bcc[ -]?(by(?:[ -](?:nc|nd|sa))*|0|zero)\b")
WORDS = (
    ("cc0", re.compile(r"public domain dedication|cc0")),
    ("public-domain", re.compile(r"public[ -]domain|no known copyright")),
    ("cc-by-nc-nd", re.compile(r"non-?commercial.{0,40}no-?deriv")),
    ("cc-by-nc-sa", re.compile(r"non-?commercial.{0,40}share-?alike")),
    ("cc-by-nc", re.compile(r"creative commons.{0,60}non-?commercial")),
    ("cc-by-sa", re.compile(r"attribution.{0,20}share-?alike")),
    ("cc-by-nd", re.compile(r"attribution.{0,20}no-?deriv")),
    ("cc-by", re.compile(r"creative commons.{0,40}attribution|distributed under .{0,60}cc by")),
)


def licence_of(metadata: Mapping[str, str]) -> str:
    """One of `LICENCES`, from a document's metadata; `unknown` when it says nothing."""
    statement = metadata.get("licence") or metadata.get("license") or ""
    text = " ".join(statement.lower().split())
    if not text:
        return "unknown"
    if text in LICENCES:
        return text
    if found := ADDRESS.search(text):
        return _named(found.group(1))
    if found := CREATIVE_COMMONS.search(text):
        return _named(found.group(1).replace(" ", "-"))
    return next((name for name, pattern in WORDS if pattern.search(text)), "other")


def _named(code: str) -> str:
    if code in ("zero", "0"):
        return "cc0"
    if code in ("mark", "publicdomain"):
        return "public-domain"
    name = f"cc-{code}"
    return name if name in LICENCES else "other"
