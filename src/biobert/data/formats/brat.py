"""BRAT standoff: a folder of `.txt` and `.ann` pairs.

Discontinuous mentions, normalisations (`N`), relations (`R`) and events' triggers are read.
A relation between concepts rather than mentions is written between their first mentions, with an
annotator's note that names the concepts.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

from biobert.core.document import Argument, Document, Entity, Provenance, Relation, Span
from biobert.core.errors import BadInputError
from biobert.core.files import open_text, write_text
from biobert.data.curies import curie
from biobert.data.formats._relations import (
    check_arguments,
    evidence_of,
    evidence_text,
    score_of,
)
from biobert.data.rejects import Rejects

ENDINGS = (".ann",)
HOLDS = ("entities", "relations")
CONCEPT_NOTE, EVIDENCE_NOTE, SCORE_NOTE = "concepts:", "evidence:", "score:"


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """The documents of a folder, by name; a text without annotations has none."""
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    texts = sorted(folder.glob("*.txt")) if place.is_dir() else [place.with_suffix(".txt")]
    if not place.exists() or not texts:
        raise BadInputError(f"{path}: no such BRAT folder, or no .txt in it", code="not-found")
    for text_path in texts:
        with open_text(text_path, rejects.lost_in(text_path)) as stream:
            text = stream.read()
        yield _document(text_path, text, rejects)


def write(documents: Iterable[Document], path: Path | str) -> int:
    """Write a pair of files for each document into the folder `path`."""
    folder = Path(path)
    if folder.is_file():
        raise BadInputError(f"{path} is a file; BRAT is a folder of .txt and .ann pairs")
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for count, (name, content) in enumerate(files(documents), start=1):  # noqa: B007
        with write_text(folder / name) as stream:
            stream.write(content)
    return count // 2


def files(documents: Iterable[Document]) -> Iterator[tuple[str, str]]:
    """The name and the content of each file, two for a document.

    An identifier that comes twice gets its number behind a `~`, so that nothing is overwritten.
    """
    times: Counter[str] = Counter()
    for count, document in enumerate(documents, start=1):
        name = quote(document.id, safe=" -_.()") or str(count)
        times[name] += 1
        if times[name] > 1:
            name = f"{name}~{times[name]}"
        yield f"{name}.txt", document.text
        yield f"{name}.ann", "".join(f"{line}\n" for line in _lines(document))


def _document(text_path: Path, text: str, rejects: Rejects) -> Document:
    annotations = text_path.with_suffix(".ann")
    reader = _Annotations(text, annotations, rejects)
    if annotations.is_file():
        with open_text(annotations, rejects.lost_in(annotations)) as stream:
            for number, line in enumerate(stream, start=1):
                reader.read_line(number, line.rstrip("\r\n"))
    return Document(
        id=unquote(text_path.stem),
        text=text,
        entities=tuple(reader.finished_entities()),
        relations=tuple(reader.finished_relations()),
        provenance=Provenance(source=text_path.name),
    )


class _Annotations:
    """Reads the lines of one `.ann` file."""

    def __init__(self, text: str, path: Path, rejects: Rejects) -> None:
        self.text, self.path, self.rejects = text, path, rejects
        self.entities: dict[str, Entity] = {}
        self.relations: dict[str, Relation] = {}
        self.lines: dict[str, int] = {}
        self.concepts: dict[str, list[str]] = {}

    def read_line(self, number: int, line: str) -> None:
        """One annotation; kinds that a document does not hold (events, attributes) are counted."""
        if not line.strip():
            return
        try:
            identifier, _, rest = line.partition("\t")
            if identifier.startswith("T"):
                self.entities[identifier] = self._entity(identifier, rest)
            elif identifier.startswith("R"):
                self.relations[identifier] = _relation(identifier, rest)
                self.lines[identifier] = number
            elif identifier.startswith("N"):
                _, target, reference = rest.split("\t")[0].split(" ", 2)
                self.concepts.setdefault(target, []).append(curie(reference))
            elif identifier.startswith("#"):
                self._note(rest)
            else:
                self.rejects.add(self.path, number, f"kind not kept: {identifier[:1]!r} annotation")
        except (ValueError, IndexError, BadInputError) as problem:
            self.rejects.add(self.path, number, f"bad annotation: {problem}")

    def finished_entities(self) -> Iterator[Entity]:
        """The mentions with the concepts that the normalisation lines gave them."""
        for identifier, entity in self.entities.items():
            found = tuple(one for one in self.concepts.get(identifier, ()) if one)
            yield replace(entity, concept_ids=found)

    def finished_relations(self) -> Iterator[Relation]:
        """The relations between mentions that are there; others are set aside."""
        known = self.entities.keys() | self.relations.keys()
        for identifier, relation in self.relations.items():
            try:
                check_arguments(relation, known)
            except BadInputError as problem:
                self.rejects.add(self.path, self.lines[identifier], f"bad annotation: {problem}")
            else:
                yield relation

    def _entity(self, identifier: str, rest: str) -> Entity:
        head, _, mention = rest.partition("\t")
        label, _, places = head.partition(" ")
        pieces = tuple(Span(*map(int, place.split())) for place in places.split(";"))
        entity = Entity(
            pieces[0].start,
            pieces[-1].end,
            label,
            fragments=pieces if len(pieces) > 1 else (),
            id=identifier,
        )
        found = " ".join(self.text[piece.start : piece.end] for piece in pieces)
        if mention and re.sub(r"\s", " ", found) != re.sub(r"\s", " ", mention):
            raise BadInputError(f"{places} is {found[:60]!r}, the line says {mention[:60]!r}")
        return entity

    def _note(self, rest: str) -> None:
        head, _, note = rest.partition("\t")
        target = head.split(" ")[-1]
        relation = self.relations.get(target)
        if relation is None:
            return
        kind, _, said = note.partition(" ")
        if kind == CONCEPT_NOTE:
            arguments = tuple(
                Argument(old.role, concept, "concept")
                for old, concept in zip(relation.arguments, said.split(), strict=True)
            )
            relation = replace(relation, arguments=arguments, id=None)
        elif kind == EVIDENCE_NOTE:
            relation = replace(relation, evidence=evidence_of(said))
        elif kind == SCORE_NOTE:
            relation = replace(relation, score=score_of(said))
        self.relations[target] = relation


def _relation(identifier: str, rest: str) -> Relation:
    label, *arguments = rest.split("\t")[0].split()
    pairs = [argument.split(":", 1) for argument in arguments]
    return Relation(label, tuple(Argument(role, target) for role, target in pairs), id=identifier)


def _lines(document: Document) -> Iterator[str]:
    names = _names(document)
    normalisations = 0
    for entity, name in zip(document.entities, names, strict=True):
        pieces = entity.fragments or (Span(entity.start, entity.end),)
        places = ";".join(f"{piece.start} {piece.end}" for piece in pieces)
        mention = re.sub(r"\s", " ", document.mention(entity))
        yield f"{name}\t{entity.label} {places}\t{mention}"
        for concept in entity.concept_ids:
            normalisations += 1
            yield f"N{normalisations}\tReference {name} {concept}\t{mention}"
    first_mentions = _first_mentions(document, names)
    notes: list[str] = []
    for number, relation in enumerate(document.relations, start=1):
        yield _relation_line(number, relation, first_mentions)
        notes += [f"AnnotatorNotes R{number}\t{note}" for note in _notes(relation)]
    yield from (f"#{number}\t{note}" for number, note in enumerate(notes, start=1))


def _names(document: Document) -> list[str]:
    """`T` numbers: the entities' own where they have them all, else fresh ones."""
    own = [entity.id or "" for entity in document.entities]
    if all(re.fullmatch(r"T\d+", name) for name in own) and len(set(own)) == len(own):
        return own
    return [f"T{number}" for number in range(1, len(own) + 1)]


def _first_mentions(document: Document, names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entity, name in zip(document.entities, names, strict=True):
        found.setdefault(entity.id or name, name)
        for concept in (*entity.concept_ids, "|".join(entity.concept_ids)):
            found.setdefault(concept, name)
    return found


def _relation_line(number: int, relation: Relation, first_mentions: Mapping[str, str]) -> str:
    # A concept that no mention names points at the first mention; the note says what is meant.
    ends = []
    for argument in relation.arguments:
        other = "T1" if argument.kind == "concept" else argument.target
        ends.append(f"{argument.role}:{first_mentions.get(argument.target, other)}")
    return f"R{number}\t{relation.label} {' '.join(ends)}"


def _notes(relation: Relation) -> Iterator[str]:
    """What a line of BRAT has no place for."""
    if any(argument.kind == "concept" for argument in relation.arguments):
        yield f"{CONCEPT_NOTE} {' '.join(argument.target for argument in relation.arguments)}"
    if relation.evidence:
        yield f"{EVIDENCE_NOTE} {evidence_text(relation.evidence)}"
    if relation.score is not None:
        yield f"{SCORE_NOTE} {relation.score:.6g}"
