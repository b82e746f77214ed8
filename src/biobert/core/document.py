"""The document: immutable text with stand-off annotations by character offset.

Offsets count Unicode code points of `Document.text`, start included, end excluded, so
`document.text[entity.start:entity.end]` is always the mention.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Literal

from biobert.core.errors import BadInputError


def _check_span(kind: str, start: int, end: int) -> None:
    if start < 0 or end <= start:
        raise BadInputError(f"{kind} [{start}, {end}) is empty or negative; start must be < end")


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
        if self.score is not None and not 0.0 <= self.score <= 1.0:
            raise BadInputError(f"entity score {self.score} is not a probability")
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
        for entity in self.entities:
            if argument.kind == "entity" and entity.id == argument.target:
                return self.mention(entity)
            if argument.kind == "concept" and set(argument.target.split("|")) & {
                *entity.concept_ids
            }:
                return self.mention(entity)
        return argument.target

    def with_entities(self, entities: Iterable[Entity]) -> "Document":
        """The same document with these entities, in text order, and no others."""
        ordered = sorted(entities, key=lambda entity: (entity.start, entity.end, entity.label))
        return replace(self, entities=tuple(ordered))

    def with_entity_ids(self) -> "Document":
        """The same document, each entity with an identifier of its own: its old one or `T1`..."""
        identifiers = [entity.id for entity in self.entities]
        if all(identifiers) and len(set(identifiers)) == len(identifiers):
            return self
        taken = {one for one in identifiers if one}
        fresh = (f"T{number}" for number in count(1) if f"T{number}" not in taken)
        seen: set[str] = set()
        named = []
        for entity in self.entities:
            is_own = entity.id and entity.id not in seen
            named.append(entity if is_own else replace(entity, id=next(fresh)))
            seen.add(named[-1].id or "")
        return replace(self, entities=tuple(named))

    def entities_labelled(self, labels: Iterable[str]) -> Iterator[Entity]:
        """The entities whose label is one of `labels`, in document order."""
        wanted = frozenset(labels)
        return (entity for entity in self.entities if entity.label in wanted)
