"""PubTator: `id|t|title`, `id|a|abstract`, mentions and relations in tab-separated lines.

A document's text is title, newline, abstract, so that offsets are PubTator's own. Relations are
between concepts; what follows them in a line (BioRED's `Novel`) is not kept. A relation between
mentions without concepts is written with their words. What a line says of a mention of several
concepts, that they make one together (`D007153+D040181`) and the mentions it stands for (column 7),
is in the document's metadata as `composite 34-58`, by its place, and is written again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from biobert.core.document import (
    Argument,
    Document,
    Entity,
    Passage,
    Provenance,
    Relation,
    RelationEnds,
)
from biobert.core.errors import BadInputError
from biobert.core.files import shown_name
from biobert.data.curies import as_mentioned, bare, by_number, curies, joined
from biobert.data.lines import lines_of, write_records
from biobert.data.rejects import Rejects

ENDINGS = (".pubtator", ".pubtator.txt")
HOLDS = ("entities", "relations")
BREAKS = re.compile(r"[\r\n\t\x0b\x0c\x85\u2028\u2029]")
PLACE = re.compile(r"[+-]?\d+")
TEXT_LINE = re.compile(r"([^|\t\n]*)\|([ta])\|(.*)", re.DOTALL)


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Documents in file order; a line that fits no document is set aside."""
    block: list[tuple[int, str]] = []
    for number, raw in lines_of(path, rejects):
        line = raw.rstrip("\r\n")
        match = TEXT_LINE.match(line)
        # An abstract may speak of |t|, too: only the first bar after the identifier counts.
        starts_next = match is not None and match[2] == "t"
        if block and (starts_next or not line.strip()):
            yield from _document(block, path, rejects)
            block = []
        if line.strip():
            block.append((number, line))
    if block:
        yield from _document(block, path, rejects)


def begins(text: str) -> bool:
    """Whether the first line is a title or an abstract with its identifier."""
    return re.match(r"[^|\s]{1,40}+\|[ta]\|", text) is not None


def write(documents: Iterable[Document], path: Path | str) -> int:
    """Title and abstract from the passages; where nothing parts them, the first line is title."""
    return write_records(("\n".join(_lines(one)) + "\n\n" for one in documents), path)


def _document(
    block: list[tuple[int, str]], path: Path | str, rejects: Rejects
) -> Iterator[Document]:
    identifier, texts, rows = _parted(block)
    if "t" not in texts:
        rejects.add(path, block[0][0], "no title line: expected `id|t|title`")
        return
    title = texts["t"]
    found = _Rows(identifier, f"{title}\n{texts.get('a', '')}")
    for number, line in rows:
        try:
            found.read(line.split("\t"))
        except (BadInputError, ValueError) as problem:
            rejects.add(path, number, f"bad line: {problem}")
    yield Document(
        id=identifier,
        text=found.text,
        passages=_passages(title, found.text),
        entities=tuple(found.entities),
        relations=tuple(found.relations),
        provenance=Provenance(source=shown_name(path)),
        metadata=found.composites,
    )


def _parted(block: list[tuple[int, str]]) -> tuple[str, dict[str, str], list[tuple[int, str]]]:
    """The identifier, title and abstract (`t`, `a`), and the other lines with their numbers."""
    identifier: str | None = None
    texts: dict[str, str] = {}
    rows = []
    for number, line in block:
        match = TEXT_LINE.fullmatch(line)
        if match and match[2] not in texts and identifier in (None, match[1].strip()):
            identifier = match[1].strip()
            texts[match[2]] = match[3]
        else:
            rows.append((number, line))
    return identifier or "", texts, rows


class _Rows:
    """What stands in the lines below a document's text."""

    def __init__(self, identifier: str, text: str) -> None:
        self.identifier, self.text = identifier, text
        self.entities: list[Entity] = []
        self.relations: list[Relation] = []
        self.composites: dict[str, str] = {}
        self._known: dict[str, str] = {}

    def read(self, columns: list[str]) -> None:
        """One line; BadInputError or ValueError where it is none of this document's."""
        if len(columns) < 4:
            raise BadInputError("neither a mention (5 or 6 columns) nor a relation (4)")
        if columns[0].strip() != self.identifier:
            raise BadInputError(f"it is of {columns[0]!r}, and stands below {self.identifier!r}")
        if PLACE.fullmatch(columns[1].strip()):
            if len(columns) < 5:
                raise BadInputError("a mention of 4 columns: its type is missing")
            self._add_entity(columns)
        else:
            self.relations.append(_relation(columns, self._known))

    def _add_entity(self, columns: list[str]) -> None:
        entity = _entity(columns, self.text)
        self.entities.append(entity)
        for local, one in by_number(entity.concept_ids).items():
            self._known.setdefault(local, one)
        is_one = len(entity.concept_ids) > 1 and "+" in columns[5]
        if is_one or any(map(str.strip, columns[6:7])):
            self.composites[_composite(entity)] = "\t".join(columns[5:7]).rstrip()


def _passages(title: str, text: str) -> tuple[Passage, ...]:
    whole = Passage(len(title) + 1, len(text), "abstract")
    return (Passage(0, len(title), "title"), whole)


def _entity(columns: list[str], text: str) -> Entity:
    start, end, mention, label = int(columns[1]), int(columns[2]), columns[3], columns[4].strip()
    identifiers = columns[5] if len(columns) > 5 else ""
    if text[start:end].split() != mention.split():
        raise BadInputError(f"[{start}, {end}) is {text[start:end]!r}, the line says {mention!r}")
    return Entity(start, end, label, curies(identifiers, label))


def _relation(columns: list[str], known: Mapping[str, str]) -> Relation:
    ends = list(columns[2:4])
    identifiers = [as_mentioned(curies(value), known) for value in ends]
    if not all(identifiers):
        raise BadInputError(f"a relation between {' and '.join(map(repr, ends))} names no concepts")
    arguments = tuple(
        Argument(f"Arg{number}", "|".join(some), "concept")
        for number, some in enumerate(identifiers, start=1)
    )
    return Relation(columns[1].strip(), arguments)


def _lines(document: Document) -> Iterator[str]:
    title = next((one.end for one in document.passages if one.kind == "title"), None)
    # The character between title and abstract is not written: it must be blank.
    if title is None or document.text[title : title + 1].strip():
        title = document.text.find("\n")
    title = len(document.text) if title < 0 else title
    # Every other break becomes one blank, which keeps the offsets.
    flat = BREAKS.sub(" ", document.text)
    name = _cell(document.id).replace("|", "_")
    yield f"{name}|t|{flat[:title]}"
    yield f"{name}|a|{flat[title + 1 :]}"
    for entity in document.entities:
        place = [str(entity.start), str(entity.end), flat[entity.start : entity.end]]
        yield "\t".join([name, *place, _cell(entity.label), *_concepts(entity, document)])
    ends = RelationEnds(document)
    for relation in document.relations:
        both = [_end(argument, ends, flat) for argument in relation.arguments]
        yield "\t".join([name, _cell(relation.label), *both])


def _cell(name: str) -> str:
    """An identifier or a label without what would part its cell or its line."""
    return " ".join(name.split())


def _composite(entity: Entity) -> str:
    return f"composite {entity.start}-{entity.end}"


def _concepts(entity: Entity, document: Document) -> list[str]:
    """Columns 6 and 7: as they were read, unless the mention has other concepts now."""
    said = document.metadata.get(_composite(entity), "").split("\t")[:2]
    if said != [""] and curies(said[0], entity.label) == entity.concept_ids:
        return [BREAKS.sub(" ", one) for one in said]
    return [joined(map(bare, entity.concept_ids)) or "-1"]


def _end(argument: Argument, ends: RelationEnds, text: str) -> str:
    """An end of a relation: concepts, or the words of a mention that has none."""
    concepts: tuple[str, ...] = tuple(argument.target.split("|"))
    if argument.kind == "entity":
        entity = ends.mention(argument)
        if entity is None:
            return "-"
        concepts = entity.concept_ids
        if not concepts:
            return text[entity.start : entity.end]
    return joined(map(bare, concepts))
