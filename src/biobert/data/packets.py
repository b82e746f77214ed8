"""Raw pieces of sources in packets of bearable size: cut here, read into documents by workers.

Cutting is cheap (unpacking and looking for the ends of records), reading is not. What is no archive
of articles, PubMed XML, JSON lines or plain text is read here, and travels as documents.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, Literal

from biobert.core.document import Document, Provenance
from biobert.core.errors import BadInputError
from biobert.core.files import (
    CHUNK_BYTES,
    DAMAGE,
    LONGEST_LINE,
    Eager,
    open_binary,
    open_utf8,
    plain_name,
    read_at_most,
    shown_name,
)
from biobert.data.catalogue import documents_in, load_corpus
from biobert.data.formats import _jats, jsonl, pubmed, text
from biobert.data.formats._xml import utf8_blocks
from biobert.data.lines import TOO_LONG
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from biobert.data.sources import Source

LARGEST_RECORD = 20_000_000
"""In bytes: no honest citation is larger."""
DAMAGED, CUT_SHORT = "damaged source", "cut short"


@dataclass(frozen=True, slots=True)
class Piece:
    """One record or a few lines; `line` is the number of the first.

    XML is as it stands in the file, all else in UTF-8.

    `name` is the file or the archive's member, for errors.
    """

    kind: Literal["article", "citation", "lines", "text", "document"]
    source: Source
    name: str
    content: bytes | Document
    line: int = 1

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        content = self.content
        return len(content.text if isinstance(content, Document) else content)


@dataclass(frozen=True, slots=True)
class Packet:
    """What a worker is given at once. `rejects` are what could not even be cut."""

    unit: int
    number: int
    pieces: tuple[Piece, ...]
    rejects: Rejects


@dataclass(frozen=True, slots=True)
class Position:
    """The next packet to prepare: this one of this unit."""

    unit: int = 0
    packet: int = 0


Unit = tuple[Source, ...]
"""Sources whose pieces share packets: one large file, or a number of small ones."""


def units_of(sources: Sequence[Source], packet_bytes: int) -> list[Unit]:
    """Sources in units, in order; none but a single file is larger than a packet."""
    units: list[list[Source]] = []
    room = 0
    for source in sources:
        if not units or source.bytes > room:
            units.append([])
            room = packet_bytes
        units[-1].append(source)
        room -= source.bytes
    return [tuple(unit) for unit in units]


def packets_of(unit: Unit, number: int, packet_bytes: int, *, first: int = 0) -> Iterator[Packet]:
    """The packets of the unit of this number, from the `first` on; the last may be small."""
    return islice(_packets(unit, number, packet_bytes), first, None)


def documents_of(piece: Piece, rejects: Rejects) -> Iterator[Document]:
    """The documents of a piece; what is none is set aside."""
    content = piece.content
    if isinstance(content, Document):
        found = iter([content])
    elif piece.kind == "article":
        found = _jats.read_article(content, piece.name, rejects)
    elif piece.kind == "citation":
        found = pubmed.read_record(content, piece.name, rejects)
    elif piece.kind == "lines":
        found = _documents_of_lines(content, piece, rejects)
    else:
        found = iter([_plain(content, piece.name)])
    return (_with_licence(document, piece.source) for document in found)


def damaged_sources(rejects: Rejects) -> list[tuple[str, str]]:
    """The files that could not be read to their end, with what was wrong."""
    starts = (DAMAGED, CUT_SHORT)
    return [(one.file, one.reason) for one in rejects.kept if one.reason.startswith(starts)]


def _packets(unit: Unit, number: int, packet_bytes: int) -> Iterator[Packet]:
    count = size = 0
    pieces: list[Piece] = []
    rejects = Rejects()
    for source in unit:
        for piece in _pieces(source, packet_bytes, rejects):
            if pieces and size + piece.size > packet_bytes:
                yield Packet(number, count, tuple(pieces), rejects.moved())
                count, size, pieces = count + 1, 0, []
            pieces.append(piece)
            size += piece.size
    if pieces or rejects.count:
        yield Packet(number, count, tuple(pieces), rejects.moved())


def _pieces(source: Source, packet_bytes: int, rejects: Rejects) -> Iterator[Piece]:
    """The pieces of a file; what stands before a damage is given, and the damage set aside."""
    pieces = 0
    already = rejects.count
    try:
        for piece in _cut(source, packet_bytes, rejects):
            pieces += 1
            yield piece
    except (BadInputError, OSError) as problem:
        rest = "what stands before it is kept" if pieces else "nothing of it is kept"
        rejects.add(source.name, "file", f"{DAMAGED}: {problem}; {rest}")
    else:
        if not pieces and rejects.count == already:
            reason = f"no record: nothing in this file reads as {source.format}"
            rejects.add(source.name, "file", reason)


def _cut(source: Source, packet_bytes: int, rejects: Rejects) -> Iterator[Piece]:
    path = source.path
    if source.part is not None:
        part = source.part
        for document in documents_in(load_corpus(part.corpus), part.split, part.place, rejects):
            yield Piece("document", source, shown_name(path), document)
    elif source.format == "jats" and plain_name(path).endswith(".tar"):
        yield from _articles(source, rejects)
    elif source.format == "jats":
        with open_binary(path) as stream:
            yield from _whole(stream, source, "article", _jats.LARGEST_ARTICLE, rejects)
    elif source.format == "text":
        with open_utf8(path, rejects.lost_in(source.name)) as stream:
            yield from _whole(stream, source, "text", text.LARGEST_FILE, rejects)
    elif source.format == "pubmed":
        with open_binary(path) as stream:
            blocks = utf8_blocks(Eager(stream), CHUNK_BYTES)
            for record in _records(blocks, source.name, rejects):
                yield Piece("citation", source, shown_name(path), record)
    elif source.format == "jsonl":
        with open_utf8(path, rejects.lost_in(source.name)) as stream:
            yield from _lines(stream, source, packet_bytes, rejects)
    else:
        for document in read_documents(path, source.format, rejects):
            yield Piece("document", source, shown_name(path), document)


def _articles(source: Source, rejects: Rejects) -> Iterator[Piece]:
    for name, data in _jats.archive_members(source.path):
        if data is None:
            rejects.add(name, "file", f"too large: more than {_jats.LARGEST_ARTICLE} bytes")
        else:
            yield Piece("article", source, name, data)


def _whole(
    stream: BinaryIO,
    source: Source,
    kind: Literal["article", "text"],
    largest: int,
    rejects: Rejects,
) -> Iterator[Piece]:
    data = read_at_most(stream, largest)
    if data is None:
        rejects.add(source.name, "file", f"too large: more than {largest} bytes in one document")
    else:
        yield Piece(kind, source, shown_name(source.path), data)


def _records(blocks: Iterable[bytes], name: str, rejects: Rejects) -> Iterator[bytes]:
    """Each `<PubmedArticle>`, found by its tags alone; what stands between them is left out."""
    held = b""
    looked_at = 0
    for block in blocks:
        held += block
        position = 0
        for match in pubmed.RECORD_END.finditer(held, looked_at):
            start = pubmed.RECORD_START.search(held, position, match.start())
            if start:
                yield held[start.start() : match.end()]
            position = match.end()
        held = held[position:]
        looked_at = max(0, len(held) - pubmed.LONGEST_TAG)
        if len(held) > LARGEST_RECORD:
            rejects.add(name, "record", f"too large: more than {LARGEST_RECORD} bytes")
            held, looked_at = b"", 0
    if pubmed.RECORD_START.search(held):
        rejects.add(name, "record", f"{CUT_SHORT}: a record without an end")


def _lines(
    stream: BinaryIO, source: Source, packet_bytes: int, rejects: Rejects
) -> Iterator[Piece]:
    """Lines in blocks of at most a packet; those before a damage come before it is raised."""
    first = 1
    held: list[bytes] = []
    size = 0
    damage = None
    try:
        for line in _bounded_lines(stream, source, rejects):
            held.append(line)
            size += len(line)
            if size >= packet_bytes // 4:
                yield Piece("lines", source, shown_name(source.path), b"".join(held), first)
                first, size, held = first + len(held), 0, []
    except (OSError, *DAMAGE) as problem:
        damage = problem
    if held:
        yield Piece("lines", source, shown_name(source.path), b"".join(held), first)
    if damage is not None:
        raise damage


def _bounded_lines(stream: BinaryIO, source: Source, rejects: Rejects) -> Iterator[bytes]:
    """Each line; one that is too long is set aside, and an empty one keeps its place."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            rejects.add(source.name, number, TOO_LONG.format(LONGEST_LINE))
            while (line := stream.readline(CHUNK_BYTES)) and not line.endswith(b"\n"):
                pass
            line = b"\n"
        yield line


def _documents_of_lines(content: bytes, piece: Piece, rejects: Rejects) -> Iterator[Document]:
    for number, line in enumerate(content.split(b"\n"), start=piece.line):
        written = line.decode("utf-8-sig").strip()
        if written:
            yield from jsonl.read_line(written, piece.name, number, rejects)


def _plain(content: bytes, name: str) -> Document:
    stem = plain_name(name).rpartition(".")[0] or plain_name(name)
    return Document(id=stem, text=content.decode("utf-8"), provenance=Provenance(source=name))


def _with_licence(document: Document, source: Source) -> Document:
    if not source.licence or document.metadata.get("licence"):
        return document
    return replace(document, metadata={**document.metadata, "licence": source.licence})
