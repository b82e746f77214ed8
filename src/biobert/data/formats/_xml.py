"""Reading XML from strangers: no entities, no network, no huge trees, one record in memory."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from biobert.core.errors import BadInputError

Element = etree._Element
LIBXML_TEXT = 10_000_000
STRETCH = 1 << 20
BLANK = re.compile(r"\s")


def records(stream: BinaryIO, tags: tuple[str, ...], *, place: str) -> Iterator[Element]:
    """Each element with one of these tags, dropped from memory when the next is asked for.

    Entities stay unexpanded and nothing is fetched, so a file can neither grow in memory nor
    reach out. XML that breaks off is an error that names the line, after what was whole.
    """
    walker = etree.iterparse(
        stream,
        events=("end",),
        tag=tags,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=False,
    )
    try:
        for _, element in walker:
            yield element
            _forget(element)
    except etree.XMLSyntaxError as problem:
        raise BadInputError(f"{place}: not well-formed XML: {problem.msg}") from None


def parse(data: bytes, *, place: str) -> Element:
    """The root of a small document, under the same rules."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=_is_honestly_huge(data)
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as problem:
        raise BadInputError(f"{place}: not well-formed XML: {problem.msg}") from None
    return root


def _is_honestly_huge(data: bytes) -> bool:
    """Whether libxml2's limits (10 MB a text) may be lifted: they are there against entities."""
    return len(data) > LIBXML_TEXT and b"<!ENTITY" not in data and b"\0" not in data[:1000]


def text_of(element: Element | None) -> str:
    """All text inside an element, white space folded."""
    if element is None:
        return ""
    return folded("".join(_strings(element)))


def folded(text: str) -> str:
    """The text with single blanks for white space.

    In stretches, since the list of all words of a text takes ten times its room.
    """
    if len(text) <= STRETCH:
        return " ".join(text.split())
    parts = []
    start = 0
    while start < len(text):
        blank = BLANK.search(text, start + STRETCH)
        end = blank.start() if blank else len(text)
        parts.append(" ".join(text[start:end].split()))
        start = end
    return " ".join(part for part in parts if part)


def _strings(element: Element) -> Iterator[str]:
    # Entities and comments have a callable tag and no text of the record's own.
    for part in element.iter():
        if isinstance(part.tag, str) and part.text:
            yield part.text
        if part is not element and part.tail:
            yield part.tail


def _forget(element: Element) -> None:
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]
