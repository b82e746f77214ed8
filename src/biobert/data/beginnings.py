"""Telling a format by what a file or a stream begins with, where no ending tells it."""

from collections.abc import Mapping
from functools import cache
from io import BytesIO

from biobert.core.errors import BadInputError
from biobert.core.files import Eager, InMemoryFile, open_text
from biobert.data.formats import SHELF
from biobert.data.formats._json import keys_of
from biobert.data.formats._xml import root_of

PLAIN = "text"
MARKUP = ("<?xml", "<!DOCTYPE")


def format_of_beginning(head: bytes) -> str:
    """The format of a stream that begins so; plain text is what begins like no other.

    Raises BadInputError for XML and JSON that no format begins with.
    """
    root = root_of(Eager(BytesIO(head)))
    if root in formats_by_root():
        return formats_by_root()[root]
    with open_text(InMemoryFile("beginning", head), lambda lost: None) as stream:
        text = stream.read().lstrip()
    found = next((name for name in SHELF.names() if _begins(name, text)), None)
    if found is None and (root or text.startswith(MARKUP) or keys_of(text)):
        what = f"XML with the root <{root}>" if root else "XML" if text[0] == "<" else "JSON"
        raise BadInputError(
            f"standard input begins as {what}, which tells no format: name it with --from "
            f"(--from {PLAIN} takes it as it is)",
            code="usage",
        )
    return found or PLAIN


@cache
def formats_by_root() -> Mapping[str | None, str]:
    """The formats in XML by the root elements that tell them."""
    return {root: name for name in SHELF.names() for root in getattr(SHELF.load(name), "ROOTS", ())}


def _begins(format: str, text: str) -> bool:
    module = SHELF.load(format)
    return hasattr(module, "begins") and bool(module.begins(text))
