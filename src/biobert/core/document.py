"""The document: immutable text with stand-off annotations by character offset.

Offsets count Unicode code points of `Document.text`, start included, end excluded, so
`document.text[entity.start:entity.end]` is always the mention.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Literal, TypeVar

from biobert.core.errors import BadInputError


def _check_span(kind: str, start: int, end: int) -> None:
    if start < 0 or end <= start:
        raise BadInputError(f"{kind} [{start}, {end}) is empty or negative; start must be < end")


def _check_score(kind: str, score: float | None) -> None:
    if score is not None and not 0.0 <= score <= 1.0:
        raise BadInputError(f"{kind}: score {score} is not a probability")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text, `start` included, `end` excluded."""

    start: int
    end: int

    def __post_init__(self) -> None:
        _check_span("span", self.start, self.end)


@dataclass(frozen=True, slots=True)
class Passage:
    """A title, abstract, section or other part; `start == end` marks a part left empty.

    `heading` is the section's own title; `metadata` keeps what a format says of the passage.
    """

    start: int
    end: int
    kind: str
    heading: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.start < 0 or self.end < self.start:
            raise BadInputError(f"passage {self.kind!r} [{self.start}, {self.end}) is reversed")


@dataclass(frozen=True, slots=True)
class Entity:
    """A mention. `concept_ids` are CURIEs (`mesh:D009369`); `score` is a probability or None.

    `fragments` is empty for a continuous mention; a discontinuous one lists its pieces, in
    order, and `start`, `end` enclose them. `id` is the identifier a format gave it (`T1`).
    """

    start: int
    end: int
    label: str
    concept_ids: tuple[str, ...] = ()
    score: float | None = None
    fragments: tuple[Span, ...] = ()
    id: str | None = None

    def __post_init__(self) -> None:
        _check_span(f"entity {self.label!r}", self.start, self.end)
        _check_score(f"entity {self.label!r}", self.score)
        if self.fragments and (
            self.fragments[0].start != self.start or self.fragments[-1].end != self.end
        ):
            raise BadInputError(f"entity {self.label!r}: fragments do not span its offsets")


@dataclass(frozen=True, slots=True)
class Argument:
    """One end of a relation: an entity of the document by `id`, or a concept by CURIE."""

    role: str
    target: str
    kind: Literal["entity", "concept"] = "entity"


@dataclass(frozen=True, slots=True)
class Relation:
    """A labelled link between entities or concepts; `score` is a probability or None.

    `evidence` is the text that says so: sentences, usually one.
    """

    label: str
    arguments: tuple[Argument, ...]
    score: float | None = None
    id: str | None = None
    evidence: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        _check_score(f"relation {self.label!r}", self.score)


Named = TypeVar("Named", Entity, Relation)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who said so: the source file of the text, the model and version of the annotations."""

    source: str = ""
    model: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """Text with passages and annotations. Immutable: `with_entities` gives a new one.

    `labels` are those of the document as a whole, `label_scores` the probability of each label that
    was weighed. `annotated_labels` are the entity types its annotators looked for, so that a
    missing mention of such a type means "none here"; empty when unknown.
    """

    id: str
    text: str
    passages: tuple[Passage, ...] = ()
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    sentences: tuple[Span, ...] = ()
    labels: tuple[str, ...] = ()
    label_scores: Mapping[str, float] = field(default_factory=dict)
    annotated_labels: tuple[str, ...] = ()
    provenance: Provenance = Provenance()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        length = len(self.text)
        parts: tuple[Passage | Entity | Span, ...]
        parts = (*self.passages, *self.entities, *self.sentences)
        for part in parts:
            if part.end > length:
                name = type(part).__name__.lower()
                raise BadInputError(
                    f"document {self.id!r}: {name} [{part.start}, {part.end}) "
                    f"ends beyond the text of {length} characters"
                )

    def mention(self, entity: Entity) -> str:
        """The entity's text; pieces of a discontinuous mention are joined by a space."""
        if not entity.fragments:
            return self.text[entity.start : entity.end]
        return " ".join(self.text[piece.start : piece.end] for piece in entity.fragments)

    def argument_text(self, argument: Argument) -> str:
        """The words of a relation's argument: its mention, or the first mention of its concept."""
        return RelationEnds(self).words(argument)

    def with_entities(self, entities: Iterable[Entity]) -> "Document":
        """The same document with these entities, in text order, and no others."""
        ordered = sorted(entities, key=lambda entity: (entity.start, entity.end, entity.label))
        return replace(self, entities=tuple(ordered))

    def with_entity_ids(self) -> "Document":
        """The same document, each entity with an identifier of its own: its old one or `T1`..."""
        named = _named(self.entities, "T", self.relations)
        return self if named is self.entities else replace(self, entities=named)

    def with_relation_ids(self) -> "Document":
        """The same document, each relation with an identifier of its own: its old one or `R1`..."""
        named = _named(self.relations, "R", self.entities)
        return self if named is self.relations else replace(self, relations=named)

    def entities_labelled(self, labels: Iterable[str]) -> Iterator[Entity]:
        """The entities whose label is one of `labels`, in document order."""
        wanted = frozenset(labels)
        return (entity for entity in self.entities if entity.label in wanted)


class RelationEnds:
    """What a document's relations point at, looked up: thousands of relations may ask.

    A mention without an identifier has the one that its place gives it: `document` is the same with
    these.
    """

    def __init__(self, document: Document) -> None:
        self.document = document.with_entity_ids()
        self._first: dict[tuple[str, str], int] = {}
        for number, entity in enumerate(self.document.entities):
            names = [("concept", one) for one in entity.concept_ids]
            for name in [*names, ("entity", entity.id or "")]:
                self._first.setdefault(name, number)

    def mention(self, argument: Argument) -> Entity | None:
        """An argument, or the first mention of its concept; None where there is none."""
        is_concept = argument.kind == "concept"
        targets = argument.target.split("|") if is_concept else [argument.target]
        found = [self._first.get((argument.kind, one)) for one in targets]
        numbers = [one for one in found if one is not None]
        return self.document.entities[min(numbers)] if numbers else None

    def words(self, argument: Argument) -> str:
        """The words of its mention, or what it points at."""
        entity = self.mention(argument)
        return argument.target if entity is None else self.document.mention(entity)

    def astray(self) -> dict[int, str]:
        """By number, the relations that point at what is not there, each with what it points at.

        A relation may point at another: where that one is astray, it is astray too.
        """
        relations, needed_by = self.document.relations, self._needed_by()
        mentions = {one.id for one in self.document.entities}
        known = mentions | {one.id for one in relations}
        missing = [one for one in needed_by if one not in known]
        found: dict[int, str] = {}
        while missing:
            target = missing.pop()
            for number in needed_by.get(target, ()):
                name = relations[number].id
                if number not in found and name and name not in mentions:
                    missing.append(name)
                found.setdefault(number, target)
        return found

    def standing(self) -> Document:
        """The document without the relations that are astray."""
        astray = self.astray()
        kept = (one for number, one in enumerate(self.document.relations) if number not in astray)
        return replace(self.document, relations=tuple(kept)) if astray else self.document

    def _needed_by(self) -> dict[str, list[int]]:
        """The numbers of the relations that point at a mention or a relation, by its identifier."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for number, relation in enumerate(self.document.relations):
            for argument in relation.arguments:
                if argument.kind == "entity":
                    found[argument.target].append(number)
        return found


def _named(
    items: tuple[Named, ...], letter: str, others: Iterable[Entity | Relation]
) -> tuple[Named, ...]:
    """The items, each with an identifier of its own; the same tuple where all of them have one."""
    identifiers: list[str | None] = [one.id for one in items]
    if all(identifiers) and len(set(identifiers)) == len(identifiers):
        return items
    taken = {*identifiers, *(one.id for one in others)}
    fresh = (f"{letter}{number}" for number in count(1) if f"{letter}{number}" not in taken)
    seen: set[str | None] = set()
    named: list[Named] = []
    for one in items:
        is_own = one.id and one.id not in seen
        named.append(one if is_own else replace(one, id=next(fresh)))
        seen.add(named[-1].id)
    return tuple(named)
