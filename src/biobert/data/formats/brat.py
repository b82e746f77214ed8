"""BRAT standoff: a folder of `.txt` and `.ann` pairs.

Discontinuous mentions, normalisations (`N`), relations (`R`) and events' triggers are read; what a
document has no place for (events, attributes, notes) is counted among what was set aside.
A relation between concepts rather than mentions is written between their first mentions, with an
annotator's note that names the concepts; scores stand in such notes too. A blank in a label or a
role is written as `_x0020_`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, unquote

from biobert.core.decoding import LONGEST_MARK, MARKS
from biobert.core.document import (
    Argument,
    Document,
    Entity,
    Provenance,
    Relation,
    RelationEnds,
    Span,
)
from biobert.core.errors import BadInputError
from biobert.core.files import open_binary, open_text, shown_name, write_text
from biobert.data.curies import curie
from biobert.data.formats._relations import evidence_of, evidence_text, score_of, standing
from biobert.data.rejects import Rejects

ENDINGS = (".ann",)
HOLDS = ("entities", "relations")
CONCEPT_NOTE, EVIDENCE_NOTE, SCORE_NOTE = "concepts:", "evidence:", "score:"
NO_CONCEPT = "-"
NOT_IN_NAMES = re.compile(r"[^\w .()~\x80-\U0010ffff-]")
"""Letters and signs of all scripts may stand in the name of a file."""
LONGEST_NAME_BYTES = 200
"""File systems end at 255, with the ending and what a file is called while it is written."""
# Blanks part what stands in a line. Coded as in names of XML: BRAT takes letters, digits and `_`.
BLANK = re.compile(r"\s|_(?=x[0-9A-F]{4}_)")
COLON = re.compile(rf":|{BLANK.pattern}")
MARK = "\ufeff"
CODED = re.compile(r"_x([0-9A-F]{4})_")


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """The documents of a folder, by name; a text without annotations has none."""
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    texts = sorted(folder.glob("*.txt")) if place.is_dir() else [place.with_suffix(".txt")]
    if not place.exists() or not texts:
        raise BadInputError(f"{path}: no such BRAT folder, or no .txt in it", code="not-found")
    for text_path in texts:
        yield _document(text_path, rejects)


def write(documents: Iterable[Document], path: Path | str) -> int:
    """Write a pair of files for each document into the folder `path`."""
    folder = Path(path)
    if folder.is_file():
        raise BadInputError(f"{path} is a file; BRAT is a folder of .txt and .ann pairs")
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, content in files(documents):
        with write_text(folder / name) as stream:
            stream.write(content)
        count += 1
    return count // 2


def files(documents: Iterable[Document]) -> Iterator[tuple[str, str]]:
    """The name and the content of each file, two for a document.

    An identifier that comes twice gets its number behind a `~`, so that nothing is overwritten.
    """
    times: Counter[str] = Counter()
    for count, document in enumerate(documents, start=1):
        name = _free(_file_name(document.id) or str(count), times)
        written = _without_mark(document)
        yield f"{name}.txt", written.text
        yield f"{name}.ann", "".join(f"{line}\n" for line in _lines(written))


def _file_name(identifier: str) -> str:
    """The identifier as a file may be called; of a long one the beginning, and a sum of it all."""
    name = NOT_IN_NAMES.sub(lambda sign: quote(sign[0], safe=""), identifier)
    if len(name.encode()) <= LONGEST_NAME_BYTES:
        return name
    beginning = name.encode()[:LONGEST_NAME_BYTES].decode(errors="ignore")
    return f"{beginning}~{sha256(identifier.encode()).hexdigest()[:8]}"


def _free(name: str, times: Counter[str]) -> str:
    free = name
    while times[free]:
        times[name] += 1
        free = f"{name}~{times[name]}"
    times[free] += 1
    return free


def _without_mark(document: Document) -> Document:
    """The document with a blank for a byte-order mark at its beginning, which readers drop."""
    if not document.text.startswith(MARK):
        return document
    return replace(document, text=f" {document.text[1:]}")


def _document(text_path: Path, rejects: Rejects) -> Document:
    with open_text(text_path, rejects.lost_in(text_path)) as stream:
        text = stream.read()
    document, bad = _read_as(text, text_path)
    if bad.count and _is_marked(text_path):
        # Some count the byte-order mark: it belongs to the text where more of the file fits so.
        marked, less_bad = _read_as(MARK + text, text_path)
        if less_bad.count < bad.count:
            document, bad = marked, less_bad
    rejects.extend(bad)
    return document


def _is_marked(path: Path) -> bool:
    with open_binary(path) as stream:
        return stream.read(LONGEST_MARK).startswith(tuple(MARKS))


def _read_as(text: str, text_path: Path) -> tuple[Document, Rejects]:
    """The document of a text and its annotations, and what is bad of them."""
    annotations, bad = text_path.with_suffix(".ann"), Rejects()
    reader = _Annotations(text, annotations, bad)
    if annotations.is_file():
        with open_text(annotations, bad.lost_in(annotations)) as stream:
            for number, line in enumerate(stream, start=1):
                reader.read_line(number, line.rstrip("\r\n"))
    name = shown_name(text_path)
    plain = Document(unquote(Path(name).stem), text, provenance=Provenance(source=name))
    return reader.annotated(plain), bad


class _Annotations:
    """Reads the lines of one `.ann` file."""

    def __init__(self, text: str, path: Path, rejects: Rejects) -> None:
        self.text, self.path, self.rejects = text, path, rejects
        self.entities: dict[str, Entity] = {}
        self.relations: dict[str, Relation] = {}
        self.lines: dict[str, int] = {}
        # These may stand before what they are about.
        self.links: list[tuple[int, str]] = []
        self.notes: list[tuple[int, str]] = []

    def read_line(self, number: int, line: str) -> None:
        """One annotation; kinds that a document does not hold (events, attributes) are counted."""
        if not line.strip():
            return
        identifier, _, rest = line.partition("\t")
        try:
            if identifier in self.lines:
                raise BadInputError(f"{identifier!r} comes twice")
            if identifier.startswith("T"):
                self.entities[identifier] = self._entity(identifier, rest)
                self.lines[identifier] = number
            elif identifier.startswith("R"):
                self.relations[identifier] = _relation(identifier, rest)
                self.lines[identifier] = number
            elif identifier.startswith("N"):
                self.links.append((number, rest.partition("\t")[0]))
            elif identifier.startswith("#"):
                self.notes.append((number, rest))
            else:
                self._not_kept(number, identifier)
        except (ValueError, IndexError, BadInputError) as problem:
            self._refuse(number, problem)

    def annotated(self, document: Document) -> Document:
        """The document with all that was read; relations to what is not there are set aside."""
        for number, note in self.notes:
            self._note(number, note)
        concepts = self._concepts()
        entities = (
            replace(entity, concept_ids=tuple(concepts[identifier]))
            for identifier, entity in self.entities.items()
        )
        return standing(
            replace(document, entities=tuple(entities), relations=tuple(self.relations.values())),
            lambda relation, reason: self._refuse(self.lines[relation.id or ""], reason),
        )

    def _refuse(self, number: int, problem: object) -> None:
        self.rejects.add(self.path, number, f"bad annotation: {problem}")

    def _not_kept(self, number: int, identifier: str) -> None:
        self.rejects.add(self.path, number, f"kind not kept: {identifier[:1]!r} annotation")

    def _entity(self, identifier: str, rest: str) -> Entity:
        head, _, mention = rest.partition("\t")
        label, _, places = head.partition(" ")
        pieces = tuple(map(_piece, places.split(";")))
        entity = Entity(
            pieces[0].start,
            pieces[-1].end,
            _decoded(label),
            fragments=pieces if len(pieces) > 1 else (),
            id=identifier,
        )
        if entity.end > len(self.text):
            raise BadInputError(f"{places} ends beyond the text")
        found = " ".join(self.text[piece.start : piece.end] for piece in pieces)
        if mention and re.sub(r"\s", " ", found) != re.sub(r"\s", " ", mention):
            raise BadInputError(f"{places} is {found[:60]!r}, the line says {mention[:60]!r}")
        return entity

    def _concepts(self) -> defaultdict[str, list[str]]:
        """What the normalisation lines link mentions to."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for number, link in self.links:
            _, target, reference = [*link.split(" ", 2), "", ""][:3]
            if target not in self.entities or not reference:
                self._refuse(number, f"it links {target!r}, which is no mention here")
            elif concept := curie(reference):
                found[target].append(concept)
        return found

    def _note(self, number: int, rest: str) -> None:
        head, _, note = rest.partition("\t")
        target = head.split(" ")[-1]
        try:
            if target in self.entities:
                self.entities[target] = _with_score(self.entities[target], note)
            else:
                self.relations[target] = _with_note(self.relations[target], note)
        except (KeyError, ValueError):
            self._not_kept(number, "#")


def _piece(written: str) -> Span:
    numbers = written.split()
    if len(numbers) != 2:
        raise BadInputError(f"{written!r} is no place such as '0 5'")
    return Span(int(numbers[0]), int(numbers[1]))


def _relation(identifier: str, rest: str) -> Relation:
    label, *arguments = rest.split("\t")[0].split() or [""]
    if not arguments:
        raise BadInputError(f"relation {label!r} has no arguments")
    pairs = [argument.split(":", 1) for argument in arguments]
    ends = tuple(Argument(_decoded(role), target) for role, target in pairs)
    return Relation(_decoded(label), ends, id=identifier)


def _with_score(entity: Entity, note: str) -> Entity:
    """The mention with the score that one of our notes says; ValueError where it is another's."""
    kind, _, said = note.partition(" ")
    if kind != SCORE_NOTE or (score := score_of(said)) is None:
        raise ValueError(note)
    return replace(entity, score=score)


def _with_note(relation: Relation, note: str) -> Relation:
    """The relation with what one of our notes says; ValueError where it is another's."""
    kind, _, said = note.partition(" ")
    if kind == CONCEPT_NOTE:
        both = zip(relation.arguments, map(_decoded, said.split()), strict=True)
        arguments = (
            old if concept == NO_CONCEPT else Argument(old.role, concept, "concept")
            for old, concept in both
        )
        return replace(relation, arguments=tuple(arguments))
    if kind == EVIDENCE_NOTE and (evidence := evidence_of(said)):
        return replace(relation, evidence=evidence)
    if kind == SCORE_NOTE and (score := score_of(said)) is not None:
        return replace(relation, score=score)
    raise ValueError(note)


def _lines(document: Document) -> Iterator[str]:
    ends = RelationEnds(document.with_relation_ids())
    document = ends.document
    mentions = _names([one.id or "" for one in document.entities], "T")
    relations = _names([one.id or "" for one in document.relations], "R")
    yield from _mentions(document, mentions)
    names = {**relations, **mentions}
    notes = [
        f"AnnotatorNotes {mentions[entity.id or '']}\t{_score_note(entity.score)}"
        for entity in document.entities
        if entity.score is not None
    ]
    for relation in document.relations:
        name = relations[relation.id or ""]
        yield f"{name}\t{_relation_line(relation, ends, names)}"
        notes += [f"AnnotatorNotes {name}\t{note}" for note in _notes(relation)]
    yield from (f"#{number}\t{note}" for number, note in enumerate(notes, start=1))


def _mentions(document: Document, names: Mapping[str, str]) -> Iterator[str]:
    """The mentions' lines, each with those of its concepts."""
    normalisations = 0
    for entity in document.entities:
        name = names[entity.id or ""]
        pieces = entity.fragments or (Span(entity.start, entity.end),)
        places = ";".join(f"{piece.start} {piece.end}" for piece in pieces)
        mention = re.sub(r"\s", " ", document.mention(entity))
        yield f"{name}\t{_coded(entity.label)} {places}\t{mention}"
        for concept in entity.concept_ids:
            normalisations += 1
            yield f"N{normalisations}\tReference {name} {concept}\t{mention}"


def _names(identifiers: list[str], letter: str) -> dict[str, str]:
    """What BRAT calls them: as they are called where all have BRAT's names (`T1`), else anew."""
    if all(re.fullmatch(rf"{letter}\d+", one) for one in identifiers):
        return {one: one for one in identifiers}
    return {one: f"{letter}{number}" for number, one in enumerate(identifiers, start=1)}


def _relation_line(relation: Relation, ends: RelationEnds, names: Mapping[str, str]) -> str:
    # A concept that no mention names points at the first mention; the note says what is meant.
    first = next((one.id for one in ends.document.entities), "T1")
    written = []
    for argument in relation.arguments:
        mention = ends.mention(argument)
        other = first if argument.kind == "concept" else argument.target
        target = (other if mention is None else mention.id) or ""
        written.append(f"{_coded(argument.role, COLON)}:{names.get(target, target)}")
    return f"{_coded(relation.label)} {' '.join(written)}"


def _notes(relation: Relation) -> Iterator[str]:
    """What a line of BRAT has no place for."""
    concepts = [one.target if one.kind == "concept" else NO_CONCEPT for one in relation.arguments]
    if any(one != NO_CONCEPT for one in concepts):
        yield f"{CONCEPT_NOTE} {' '.join(map(_coded, concepts))}"
    if relation.evidence:
        yield f"{EVIDENCE_NOTE} {evidence_text(relation.evidence)}"
    if relation.score is not None:
        yield _score_note(relation.score)


def _score_note(score: float) -> str:
    return f"{SCORE_NOTE} {score:.6g}"


def _coded(name: str, signs: re.Pattern[str] = BLANK) -> str:
    return signs.sub(lambda sign: f"_x{ord(sign[0]):04X}_", name)


def _decoded(name: str) -> str:
    return CODED.sub(lambda code: chr(int(code[1], 16)), name)
