"""PubTator: `id|t|title`, `id|a|abstract`, mentions and relations in tab-separated lines.

A document's text is title, newline, abstract, so that offsets are PubTator's own. Relations are
between concepts; what follows them in a line (BioRED's `Novel`) is not kept. A relation between
mentions without concepts is written with their words.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from biobert.core.document import Argument, Document, Entity, Passage, Provenance, Relation
from biobert.core.errors import BadInputError
from biobert.core.files import bounded_lines, open_text, write_text
from biobert.data.curies import as_mentioned, bare, by_number, curies, joined
from biobert.data.rejects import TOO_LONG, Rejects

ENDINGS = (".pubtator", ".pubtator.txt")
HOLDS = ("entities", "relations")
TEXT_LINE = re.compile(r"([^|\t\n]*)\|([ta])\|(.*)", re.DOTALL)


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Documents in file order; a line that fits no document is set aside."""
    with open_text(path, rejects.lost_in(path)) as stream:
        block: list[tuple[int, str]] = []
        for number, raw in bounded_lines(stream):
            if raw is None:
                rejects.add(path, number, TOO_LONG)
                continue
            line = raw.rstrip("\r\n")
            starts_next = "|t|" in line[:200] and block and TEXT_LINE.match(line)
            if block and (not line.strip() or starts_next):
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
    count = 0
    with write_text(path) as stream:
        for count, document in enumerate(documents, start=1):  # noqa: B007
            stream.write("\n".join(_lines(document)) + "\n\n")
    return count


def _document(
    block: list[tuple[int, str]], path: Path | str, rejects: Rejects
) -> Iterator[Document]:
    texts: dict[str, tuple[str, str]] = {}
    rows = []
    for number, line in block:
        match = TEXT_LINE.fullmatch(line)
        if match and match.group(2) not in texts:
            texts[match.group(2)] = match.group(1).strip(), match.group(3)
        else:
            rows.append((number, line.split("\t")))
    if "t" not in texts:
        rejects.add(path, block[0][0], "no title line: expected `id|t|title`")
        return
    identifier, title = texts["t"]
    abstract = texts.get("a", ("", ""))[1]
    text = f"{title}\n{abstract}"
    entities: list[Entity] = []
    relations: list[Relation] = []
    known: dict[str, str] = {}
    for number, columns in rows:
        try:
            if len(columns) >= 5 and columns[1].strip().isdigit():
                entities.append(_entity(columns, text))
                for local, one in by_number(entities[-1].concept_ids).items():
                    known.setdefault(local, one)
            elif len(columns) >= 4:
                relations.append(_relation(columns, known))
            else:
                raise BadInputError("neither a mention (5 or 6 columns) nor a relation (4)")
        except (BadInputError, ValueError) as problem:
            rejects.add(path, number, f"bad line: {problem}")
    yield Document(
        id=identifier,
        text=text,
        passages=_passages(title, text),
        entities=tuple(entities),
        relations=tuple(relations),
        provenance=Provenance(source=Path(path).name),
    )


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
    flat = re.sub(r"[\r\n\t\x0b\x0c\x85\u2028\u2029]", " ", document.text)
    yield f"{document.id}|t|{flat[:title]}"
    yield f"{document.id}|a|{flat[title + 1 :]}"
    for entity in document.entities:
        columns = [document.id, str(entity.start), str(entity.end), flat[entity.start : entity.end]]
        identifiers = joined(bare(one) for one in entity.concept_ids)
        yield "\t".join([*columns, entity.label, identifiers or "-1"])
    by_id = {entity.id: entity for entity in document.entities if entity.id}
    for relation in document.relations:
        ends = [_end(argument, by_id, flat) for argument in relation.arguments]
        yield "\t".join([document.id, relation.label, *ends])


def _end(argument: Argument, by_id: Mapping[str, Entity], text: str) -> str:
    """An end of a relation: concepts, or the words of a mention that has none."""
    concepts: tuple[str, ...] = tuple(argument.target.split("|"))
    if argument.kind == "entity":
        entity = by_id.get(argument.target)
        if entity is None:
            return "-"
        concepts = entity.concept_ids
        if not concepts:
            return text[entity.start : entity.end]
    return joined(bare(one) for one in concepts)
