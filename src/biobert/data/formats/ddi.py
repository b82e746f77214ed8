"""The DDI corpus of 2013: a zip archive of XML documents, or one of these documents.

A sentence is an attribute, its drugs have offsets that include the last character and may be
discontinuous (`12-15;20-24`), and every pair of drugs says whether it interacts and how. Pairs
that do not are no relations. Documents of the archive carry the split they belong to (`train`,
`test`; `test-ner` annotates drugs alone) by the folder they lie in, as `split` in their metadata.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path, PurePosixPath

from biobert.core.document import Argument, Document, Entity, Provenance, Relation, Span
from biobert.core.errors import BadInputError
from biobert.core.files import open_binary, read_at_most, shown_name
from biobert.data.formats._archives import is_zip, zip_members
from biobert.data.formats._xml import Element, parse
from biobert.data.rejects import Rejects
from biobert.data.splits import SPLIT

ENDINGS = (".ddi.xml",)
ROOTS = ("document",)
LARGEST_DOCUMENT = 5_000_000
FOLDERS = {
    "Train": "train",
    "Test for DDI Extraction task": "test",
    "Test for DrugNER task": "test-ner",
}
PLACE = re.compile(r"(\d{1,9})-(\d{1,9})")


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """The documents of an archive, or the one of a file; what cannot be kept is set aside."""
    place = Path(path)
    if not is_zip(place):
        with open_binary(path) as stream:
            data = read_at_most(stream, LARGEST_DOCUMENT)
        yield from _document(data, shown_name(place), "", rejects)
        return
    for member, data in zip_members(place, ending=".xml", largest=LARGEST_DOCUMENT):
        parts = PurePosixPath(member).parts
        split = next((FOLDERS[part] for part in parts if part in FOLDERS), "")
        yield from _document(data, member, split, rejects)


def _document(data: bytes | None, source: str, split: str, rejects: Rejects) -> Iterator[Document]:
    try:
        if data is None:
            raise BadInputError(f"too large: more than {LARGEST_DOCUMENT} bytes")
        if b"<!ENTITY" in data:
            # In an attribute libxml2 puts the entity's text whatever the parser was told.
            raise BadInputError("declares XML entities, which no document of the corpus does")
        root = parse(data, place=PurePosixPath(source).name)
        if root.tag != "document":
            raise BadInputError(f"its root is <{root.tag}>, not <document>")
    except (BadInputError, UnicodeError) as problem:
        rejects.add(source, "document", f"no DDI document: {problem}")
        return
    yield _Reader(source, rejects).document(root, split)


class _Reader:
    """Reads the sentences of one document."""

    def __init__(self, source: str, rejects: Rejects) -> None:
        self.source = source
        self.rejects = rejects
        self.parts: list[str] = []
        self.length = 0
        self.entities: dict[str, Entity] = {}
        self.relations: list[Relation] = []
        self.sentences: list[Span] = []

    def document(self, root: Element, split: str) -> Document:
        """A sentence a line."""
        for sentence in root.iterfind("sentence"):
            self._read_sentence(sentence)
        identifier = root.get("id") or PurePosixPath(self.source).stem
        return Document(
            id=identifier,
            text="".join(self.parts),
            entities=tuple(self.entities.values()),
            relations=tuple(self.relations),
            sentences=tuple(self.sentences),
            provenance=Provenance(source=PurePosixPath(self.source).name),
            metadata={SPLIT: split} if split else {},
        )

    def _read_sentence(self, sentence: Element) -> None:
        text = sentence.get("text") or ""
        if self.parts:
            self.parts.append("\n")
            self.length += 1
        self.parts.append(text)
        if text.strip():
            self.sentences.append(Span(self.length, self.length + len(text)))
        for entity in sentence.iterfind("entity"):
            self._keep_entity(entity, text)
        self.length += len(text)
        for pair in sentence.iterfind("pair"):
            self._keep_pair(pair)

    def _keep_entity(self, values: Element, text: str) -> None:
        identifier = values.get("id") or ""
        try:
            if not identifier or identifier in self.entities:
                raise BadInputError("its id is missing or comes twice")
            pieces = _pieces(values.get("charOffset") or "", len(text))
            found = "".join(text[piece.start : piece.end] for piece in pieces)
            said = values.get("text") or ""
            if "".join(found.split()) != "".join(said.split()):
                raise BadInputError(f"its place reads {found[:60]!r}, the file says {said[:60]!r}")
        except BadInputError as problem:
            self.rejects.add(self.source, identifier or "entity", f"bad mention: {problem}")
            return
        moved = tuple(Span(one.start + self.length, one.end + self.length) for one in pieces)
        self.entities[identifier] = Entity(
            moved[0].start,
            moved[-1].end,
            values.get("type") or "drug",
            fragments=moved if len(moved) > 1 else (),
            id=identifier,
        )

    def _keep_pair(self, values: Element) -> None:
        if values.get("ddi") == "false":
            return
        identifier, label = values.get("id") or "pair", values.get("type")
        ends = [values.get("e1") or "", values.get("e2") or ""]
        missing = [end for end in ends if end not in self.entities]
        if values.get("ddi") != "true" or not label:
            reason = f"ddi = {values.get('ddi')!r}, type = {label!r}: says not how it interacts"
            self.rejects.add(self.source, identifier, f"bad pair: {reason}")
        elif missing or ends[0] == ends[1]:
            reason = f"no two mentions: {ends[0]!r} and {ends[1]!r}"
            self.rejects.add(self.source, identifier, f"bad pair: {reason}")
        else:
            arguments = (Argument("Arg1", ends[0]), Argument("Arg2", ends[1]))
            self.relations.append(Relation(label, arguments, id=identifier))


def _pieces(places: str, length: int) -> tuple[Span, ...]:
    """`12-15;20-24`, both ends included, as spans in text order."""
    found = [PLACE.fullmatch(place.strip()) for place in places.split(";")]
    if not all(found):
        raise BadInputError(f"charOffset {places[:60]!r}: expected 12-15 or 12-15;20-24")
    spans = [Span(int(one[1]), int(one[2]) + 1) for one in found if one]
    spans.sort(key=lambda one: one.start)
    is_overlapping = any(one.end > other.start for one, other in pairwise(spans))
    if spans[-1].end > length or is_overlapping:
        raise BadInputError(f"charOffset {places[:60]!r}: beyond the sentence, or over itself")
    return tuple(spans)
