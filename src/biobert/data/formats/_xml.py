"""Reading XML from strangers: no entities, no network, no huge trees, one record in memory."""

import codecs
import re
from collections.abc import Collection, Iterator
from html.entities import html5
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from lxml import etree

from biobert.core.errors import BadInputError
from biobert.core.files import Eager
from biobert.data.rejects import Rejects

Element = etree._Element
LIBXML_TEXT = 10_000_000
STRETCH = 1 << 20
BLANK = re.compile(r"\s")
BETWEEN = " "
MOST_NAMED = 5
SAFE: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False}
UTF8 = "utf-8"
WIDE_STARTS = {
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"<\0?\0": "utf-16-le",
    b"\0<\0?": "utf-16-be",
}
DECLARED = re.compile(rb"""<\?xml[^>]{1,80}?encoding\s*=\s*["']([A-Za-z][\w.-]{0,40})["']""")
LONGEST_DECLARATION = 200
ANY_TYPE = b'<!DOCTYPE any SYSTEM "any.dtd">'
BEFORE_TYPE = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
ROOT = re.compile(rb"<[A-Za-z_]")
RECORDS_BLOCK, COUNTED_BYTES = 1 << 15, 1 << 20
"""In bytes: what is read at once, and after how many the elements of a record are counted."""
MOST_ELEMENTS = 500_000
"""In a record: those of the longest articles with all their mentions are fewer."""
PROLOGUE_BLOCK, LONGEST_PROLOGUE = 1 << 12, 1 << 16
"""In bytes: what is looked at before the root element, at once and in all."""


def records(stream: BinaryIO, tags: tuple[str, ...], *, place: str) -> Iterator[Element]:
    """Each element with one of these tags, dropped from memory when the next is asked for.

    Entities stay unexpanded and nothing is fetched, so a file can neither grow in memory nor
    reach out. XML that breaks off is an error that names the line, after what was whole.
    """
    typed = _Typed(stream)
    first = typed.read(RECORDS_BLOCK)
    walk = _Walk(tags, root_of(BytesIO(first)))
    try:
        for block in chain([first], iter(lambda: typed.read(RECORDS_BLOCK), b"")):
            yield from walk.read(block)
        walk.end()
    except etree.XMLSyntaxError as problem:
        raise _malformed(problem, place) from None
    except _TooLargeError:
        raise BadInputError(
            f"{place}: a record of more than {MOST_ELEMENTS} elements; split it"
        ) from None


class _TooLargeError(Exception):
    """A record has more elements than are held in memory."""


class _Walk:
    """A walk through an XML file that holds one record and the elements around it, no others."""

    def __init__(self, tags: tuple[str, ...], root: str | None) -> None:
        self._tags = tags
        wanted = tags if root is None else (*tags, root)
        self._parser = etree.XMLPullParser(
            ("start", "end"), tag=wanted, remove_comments=True, remove_pis=True, **SAFE
        )
        self._root: Element | None = None
        self._record: Element | None = None
        self._uncounted = 0

    def read(self, block: bytes) -> Iterator[Element]:
        """The records that end in the next block, also where it breaks off."""
        try:
            self._parser.feed(block)
        except etree.XMLSyntaxError:
            yield from self._ended()
            raise
        yield from self._ended()
        self._drop_others()
        self._count(len(block))

    def end(self) -> None:
        """An error where the file ends too early."""
        self._parser.close()

    def _ended(self) -> Iterator[Element]:
        for event, found in self._parser.read_events():
            element = cast(Element, found)
            if self._root is None:
                self._root = element.getroottree().getroot()
            if element.tag not in self._tags:
                continue
            if event == "end":
                yield element
                _forget(element)
                self._record = None if element is self._record else self._record
            elif self._record is None:
                self._record, self._uncounted = element, 0

    def _drop_others(self) -> None:
        """Free what is no record and in none, down to what has not ended."""
        node = self._root
        while node is not None and len(node) and node.tag not in self._tags:
            del node[:-1]
            node = node[-1]

    def _count(self, size: int) -> None:
        """An error where the record that is being read has too many elements."""
        self._uncounted += size
        if self._record is None or self._uncounted < COUNTED_BYTES:
            return
        self._uncounted = 0
        if sum(1 for _ in self._record.iter()) > MOST_ELEMENTS:
            raise _TooLargeError


def parse(data: bytes, *, place: str) -> Element:
    """The root of a small document, under the same rules."""
    parser = etree.XMLParser(huge_tree=_is_honestly_huge(data), **SAFE)
    try:
        root = etree.fromstring(_typed(data), parser)
    except etree.XMLSyntaxError as problem:
        raise _malformed(problem, place) from None
    return root


def _malformed(problem: etree.XMLSyntaxError, place: str) -> BadInputError:
    # A document type of its own, and an entity that it lacks: only the log tells of it.
    logged = [] if problem.lineno else list(cast("Collection[Any]", problem.error_log))
    found = f"{logged[-1].message}, line {logged[-1].line}" if logged else problem.msg
    return BadInputError(f"{place}: not well-formed XML: {found}")


class _Typed:
    """A stream of XML with a document type, if need be."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._begun = stream, False

    def read(self, size: int) -> bytes:
        block = self._stream.read(size)
        typed = block if self._begun else _typed(block)
        self._begun = True
        return typed


def _typed(data: bytes) -> bytes:
    """XML with a document type: where none could tell of an entity, each named one is an error."""
    before = BEFORE_TYPE.match(data, 0, LONGEST_PROLOGUE)
    place = before.end() if before else 0
    return data[:place] + ANY_TYPE + data[place:] if ROOT.match(data, place) else data


def root_of(stream: Eager | BytesIO) -> str | None:
    """The name of the root element, from the beginning of a file; None where there is none."""
    parser = etree.XMLPullParser(events=("start",), **SAFE)
    try:
        for _ in range(0, LONGEST_PROLOGUE, PROLOGUE_BLOCK):
            parser.feed(stream.read(PROLOGUE_BLOCK))
            for _, element in parser.read_events():
                return str(cast(Element, element).tag)
    except etree.XMLSyntaxError:
        pass  # what reads the file says so, with its place
    return None


def utf8_blocks(stream: Eager, size: int) -> Iterator[bytes]:
    """The blocks of an XML file in UTF-8, whatever encoding its beginning tells."""
    head = b""
    while len(head) < LONGEST_DECLARATION and (block := stream.read(size)):
        head += block
    blocks = chain([head], iter(lambda: stream.read(size), b""))
    encoding = _encoding_of(head)
    if encoding == UTF8:
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for block in blocks:
        yield decoder.decode(block).encode()


def _encoding_of(head: bytes) -> str:
    """What a byte-order mark or the XML declaration says; UTF-8 where that cannot be true."""
    for start, encoding in WIDE_STARTS.items():
        if head.startswith(start):
            return encoding
    declared = DECLARED.match(head)
    if declared is None:
        return UTF8
    encoding = declared[1].decode().lower()
    try:
        etree.XMLParser(encoding=encoding)  # which knows none of Python's own, such as "zlib"
        return encoding if "<?xml".encode(encoding) == b"<?xml" else UTF8
    except LookupError:
        return UTF8


def _is_honestly_huge(data: bytes) -> bool:
    """Whether libxml2's limits (10 MB a text) may be lifted: they are there against entities."""
    return len(data) > LIBXML_TEXT and b"<!ENTITY" not in data and b"\0" not in data[:1000]


def text_of(element: Element | None) -> str:
    """All text inside an element, white space folded."""
    return folded(whole_text(element))


def whole_text(element: Element | None) -> str:
    """All text inside an element as it stands."""
    return "" if element is None else "".join(stretches(element))


def stretches(
    element: Element, *, parted: Collection[Any] = (), left_out: Collection[Any] = ()
) -> Iterator[str]:
    """The text inside an element, piece by piece: an entity is its character, a comment nothing.

    Elements called `parted` have a blank before and behind them, those `left_out` are one.
    """
    # An explicit stack: nesting as deep as a hostile file likes must not exhaust Python's own.
    stack: list[Element | str] = [element]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, etree._Entity):
            yield html5.get(node.text[1:], node.text)
        elif node.tag in left_out:
            yield BETWEEN
        elif isinstance(node.tag, str):
            border = BETWEEN if node.tag in parted else ""
            yield border
            yield node.text or ""
            stack.append(border)
            for child in reversed(node):
                stack += (child.tail or "", child)


def tell_unknown_entities(element: Element, file: Path | str, place: str, rejects: Rejects) -> None:
    """Name the entities of a record whose characters are not known; they are read as they stand."""
    found = (str(one.text) for one in element.iter(etree.Entity))
    unknown = dict.fromkeys(one for one in found if one[1:] not in html5)
    if unknown:
        names = " ".join(islice(unknown, MOST_NAMED))
        rejects.add(file, place, f"unknown entities, read as they stand: {names}")


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


def _forget(element: Element) -> None:
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]
