"""BioC's collections, passages, annotations and relations, to and from documents.

Reading starts from the plain values of BioC JSON (the XML reader makes the same); writing makes
the `bioc` library's objects, which it prints as XML or JSON.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import bioc

from biobert.core.document import (
    Argument,
    Document,
    Entity,
    Passage,
    Provenance,
    Relation,
    Span,
)
from biobert.core.errors import BadInputError
from biobert.data.curies import as_mentioned, by_number, curies, joined, prefixed
from biobert.data.formats._passages import covering_passages
from biobert.data.formats._relations import (
    check_arguments,
    evidence_of,
    evidence_text,
    score_of,
)
from biobert.data.rejects import Rejects

# Under which names annotations carry their concepts: the dialects of PubTator, BC5CDR and others.
IDENTIFIER_KEYS = ("identifier", "Identifier", "identifiers", "MESH", "OMIM", "NCBI GENE")
KEY_PREFIXES = {"MESH": "mesh:", "OMIM": "omim:", "NCBI GENE": "ncbigene:"}
NO_ARGUMENT = frozenset({"type", "relation", "score", "note", "novel", "evidence"})
WIDEST_GAP = 8
# Infons of a document for what BioC has no place for; several are joined by `|`.
LABELS, LABEL_SCORES = "labels", "label_scores"


class _Reader:
    """Turns the values of one BioC document into a Document."""

    def __init__(self, values: Mapping[str, Any], source: str, rejects: Rejects) -> None:
        self.id = str(values.get("id", ""))
        self.values = values
        self.source = source
        self.rejects = rejects
        self.parts: list[str] = []
        self.length = 0
        self.passages: list[Passage] = []
        self.entities: list[Entity] = []
        self.relations: list[Relation] = []

    def document(self) -> Document:
        """Passages become one text; offsets that leave wide gaps are closed up."""
        waiting = [(annotation, 0) for annotation in self.values.get("annotations", ())]
        relations = list(self.values.get("relations", ()))
        for passage in self.values.get("passages", ()):
            shift = self._add_passage(passage)
            for holder in (passage, *passage.get("sentences", ())):
                waiting += [(annotation, shift) for annotation in holder.get("annotations", ())]
                relations += holder.get("relations", ())
        text = "".join(self.parts)
        for annotation, shift in waiting:
            self._keep(self.entities, _entity, annotation, text, shift)
        concepts = by_number(one for entity in self.entities for one in entity.concept_ids)
        known = {entity.id for entity in self.entities} | {_identifier(one) for one in relations}
        for relation in relations:
            self._keep(self.relations, _relation, relation, concepts, known)
        infons = {str(key): str(one) for key, one in (self.values.get("infons") or {}).items()}
        labels = infons.pop(LABELS, "")
        return Document(
            id=self.id,
            text=text,
            passages=tuple(self.passages),
            entities=tuple(self.entities),
            relations=tuple(self.relations),
            labels=tuple(labels.split("|")) if labels else (),
            label_scores=_label_scores(infons.pop(LABEL_SCORES, "")),
            provenance=Provenance(source=self.source),
            metadata=infons,
        )

    def _add_passage(self, passage: Mapping[str, Any]) -> int:
        """Append a passage's text; the result shifts its offsets to ours."""
        offset = int(passage.get("offset", self.length))
        text = _passage_text(passage, offset)
        gap = offset - self.length
        if self.parts and not 0 <= gap <= WIDEST_GAP:
            gap = 1
        filler = "\n" * gap if 0 <= gap <= WIDEST_GAP else ""
        self.parts += [filler, text]
        start = self.length + len(filler)
        self.length = start + len(text)
        infons = {str(key): str(value) for key, value in (passage.get("infons") or {}).items()}
        kind = infons.pop("type", infons.get("section_type", "passage"))
        heading = infons.pop("heading", "")
        self.passages.append(Passage(start, self.length, kind, heading, infons))
        return start - offset

    def _keep(self, kept: list[Any], make: Any, values: Mapping[str, Any], *context: Any) -> None:
        try:
            kept.append(make(values, *context))
        except (BadInputError, ValueError, KeyError, TypeError, IndexError) as problem:
            place = f"document {self.id}, annotation {values.get('id', '?')}"
            self.rejects.add(self.source, place, f"bad annotation: {problem}")


def document_from_bioc(values: Mapping[str, Any], source: str, rejects: Rejects) -> Document:
    """The document of one BioC document's plain values."""
    return _Reader(values, source, rejects).document()


def collection_of(documents: Iterable[Document]) -> Iterator[Any]:
    """A `bioc.BioCDocument` for each document."""
    for document in documents:
        made = bioc.BioCDocument()
        made.id = document.id
        made.infons = dict(document.metadata)
        if document.provenance.model:
            version = document.provenance.version
            made.infons["annotator"] = f"{document.provenance.model} {version}".strip()
        if document.labels:
            made.infons[LABELS] = "|".join(document.labels)
        if document.label_scores:
            scores = (f"{name}={score:.6g}" for name, score in document.label_scores.items())
            made.infons[LABEL_SCORES] = "|".join(scores)
        passages = covering_passages(document) or [Passage(0, len(document.text), "text")]
        for passage, numbers in zip(passages, _begin_in(passages, document), strict=True):
            made.add_passage(_bioc_passage(document, passage, numbers))
        for number, relation in enumerate(document.relations, start=1):
            made.add_relation(_bioc_relation(relation, relation.id or f"R{number}"))
        yield made


def _passage_text(passage: Mapping[str, Any], offset: int) -> str:
    if passage.get("text") is not None:
        return str(passage["text"])
    text = ""
    for sentence in passage.get("sentences", ()):
        gap = int(sentence.get("offset", offset + len(text))) - offset - len(text)
        text += " " * (gap if 0 <= gap <= WIDEST_GAP else 1) + str(sentence.get("text") or "")
    return text


def _entity(values: Mapping[str, Any], text: str, shift: int) -> Entity:
    infons = values.get("infons") or {}
    label = str(infons.get("type") or infons.get("label") or "Entity")
    pieces = tuple(
        Span(int(one["offset"]) + shift, int(one["offset"]) + shift + int(one["length"]))
        for one in sorted(values["locations"], key=lambda one: int(one["offset"]))
    )
    if pieces[-1].end > len(text):
        raise BadInputError(f"[{pieces[0].start}, {pieces[-1].end}) ends beyond the text")
    mention = " ".join(text[piece.start : piece.end] for piece in pieces)
    said = values.get("text")
    if said is not None and mention.split() != str(said).split():
        raise BadInputError(f"its place reads {mention[:60]!r}, the file says {str(said)[:60]!r}")
    return Entity(
        pieces[0].start,
        pieces[-1].end,
        label,
        concept_ids=_concepts(infons, label),
        score=score_of(infons.get("score")),
        fragments=pieces if len(pieces) > 1 else (),
        id=_identifier(values),
    )


def _identifier(values: Mapping[str, Any]) -> str | None:
    return str(values["id"]) if values.get("id") not in (None, "") else None


def _label_scores(written: str) -> dict[str, float]:
    pairs = [one.rpartition("=") for one in written.split("|") if one]
    return {name: float(score) for name, _, score in pairs}


def _concepts(infons: Mapping[str, Any], label: str) -> tuple[str, ...]:
    for key in IDENTIFIER_KEYS:
        value = infons.get(key)
        if value not in (None, ""):
            found = curies(str(value), label)
            prefix = KEY_PREFIXES.get(key, "")
            return tuple(one.replace("id:", prefix, 1) if prefix else one for one in found)
    return ()


def _relation(
    values: Mapping[str, Any], concepts: Mapping[str, str], known: Collection[str | None]
) -> Relation:
    infons = values.get("infons") or {}
    label = str(infons.get("type") or infons.get("relation") or "relation")
    # PubTator3 names its concepts in role1 and role2; its nodes point at nothing.
    nodes = () if "role1" in infons else values.get("nodes") or ()
    arguments = tuple(
        Argument(str(node.get("role") or f"Arg{number}"), str(node["refid"]))
        for number, node in enumerate(nodes, start=1)
    )
    if not arguments:
        arguments = tuple(_concept_arguments(infons, concepts))
    if not arguments:
        raise BadInputError(f"relation {label!r} names neither mentions nor concepts")
    identifier = values.get("id") if nodes else None
    evidence = evidence_of(str(infons.get("evidence") or ""))
    relation = Relation(label, arguments, score_of(infons.get("score")), identifier, evidence)
    check_arguments(relation, known)
    return relation


def _concept_arguments(
    infons: Mapping[str, Any], concepts: Mapping[str, str]
) -> Iterator[Argument]:
    for key, value in infons.items():
        if isinstance(value, Mapping):
            # PubTator3: role1 and role2 hold the concept's type and identifier.
            found = curies(str(value.get("identifier", "")), str(value.get("type", "")))
        else:
            named = () if key in NO_ARGUMENT else curies(str(value), key)
            found = as_mentioned(named, concepts)
        if found:
            yield Argument(key, "|".join(found), "concept")


def _begin_in(passages: Sequence[Passage], document: Document) -> list[list[int]]:
    """Which entities, by number, begin in each of the passages, which are in text order.

    Where passages overlap, the first one has the entity.
    """
    held: list[list[int]] = [[] for _ in passages]
    starts = sorted((one.start, number) for number, one in enumerate(document.entities))
    at = 0
    for start, number in starts:
        while at < len(passages) and passages[at].end <= start:
            at += 1
        if at < len(passages) and passages[at].start <= start:
            held[at].append(number)
    return [sorted(one) for one in held]


def _bioc_passage(document: Document, passage: Passage, numbers: Sequence[int]) -> Any:
    made = bioc.BioCPassage()
    made.offset = passage.start
    made.text = document.text[passage.start : passage.end]
    made.infons = {"type": passage.kind, **passage.metadata}
    if passage.heading:
        made.infons["heading"] = passage.heading
    for number in numbers:
        entity = document.entities[number]
        made.add_annotation(_bioc_annotation(document, entity, entity.id or str(number + 1)))
    return made


def _bioc_annotation(document: Document, entity: Entity, identifier: str) -> Any:
    made = bioc.BioCAnnotation()
    made.id = identifier
    made.text = document.mention(entity)
    made.infons = {"type": entity.label}
    if entity.concept_ids:
        made.infons["identifier"] = joined(map(prefixed, entity.concept_ids))
    if entity.score is not None:
        made.infons["score"] = f"{entity.score:.6g}"
    for piece in entity.fragments or (Span(entity.start, entity.end),):
        made.add_location(bioc.BioCLocation(piece.start, piece.end - piece.start))
    return made


def _bioc_relation(relation: Relation, identifier: str) -> Any:
    made = bioc.BioCRelation()
    made.id = identifier
    made.infons = {"type": relation.label}
    if relation.score is not None:
        made.infons["score"] = f"{relation.score:.6g}"
    if relation.evidence:
        made.infons["evidence"] = evidence_text(relation.evidence)
    for argument in relation.arguments:
        if argument.kind == "entity":
            made.add_node(bioc.BioCNode(argument.target, argument.role))
        else:
            concepts = argument.target.split("|")
            made.infons[argument.role] = joined(map(prefixed, concepts))
    return made
