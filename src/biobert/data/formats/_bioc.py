"""BioC's collections, passages, annotations and relations, to and from documents.

Reading starts from the plain values of BioC JSON (the XML reader makes the same); writing makes
the `bioc` library's objects, which it prints as XML or JSON.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import bioc

from biobert.core.arguments import shown
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
from biobert.data.curies import (
    BAR,
    CODED_BAR,
    as_mentioned,
    by_number,
    curies,
    joined,
    prefixed,
)
from biobert.data.formats._json import list_of, strings_of, text_of
from biobert.data.formats._passages import covering_passages
from biobert.data.formats._placed_text import PlacedText
from biobert.data.formats._relations import evidence_of, evidence_text, score_of, standing
from biobert.data.rejects import Rejects

# Under which names annotations carry their concepts: the dialects of PubTator, BC5CDR and others.
IDENTIFIER_KEYS = ("identifier", "Identifier", "identifiers", "MESH", "OMIM", "NCBI GENE")
KEY_PREFIXES = {"MESH": "mesh:", "OMIM": "omim:", "NCBI GENE": "ncbigene:"}
ARGUMENTS = "argument_order"
"""Of a relation with nodes and concepts: under which infon each concept is, and nothing for a node.

Without it infons beside nodes are no arguments."""
NO_ARGUMENT = frozenset(
    "type relation score note novel evidence annotator updated updated_at argument_order".split()
)
# Infons of a document for what BioC has no place for; several are joined by `|`.
LABELS, LABEL_SCORES, ANNOTATED_LABELS = "labels", "label_scores", "annotated_labels"
SENTENCES = "sentences"
"""Their places: elements of BioC stand instead of a passage's text, and lose its blanks."""
AGAIN = "~"
"""Behind a role that is taken, since infons hold a name once."""
BAD_VALUES = (BadInputError, ValueError, KeyError, TypeError, IndexError, AttributeError)
"""What making an annotation or a relation of values raises that are none."""

Made = TypeVar("Made", Entity, Relation)


class _Reader:
    """Turns the values of one BioC document into a Document."""

    def __init__(self, values: Mapping[str, Any], source: str, rejects: Rejects) -> None:
        self.id = str(values.get("id", ""))
        self.values = values
        self.source = source
        self.rejects = rejects
        self.pieces = PlacedText()
        self.passages: list[Passage] = []
        self.sentences: list[Span] = []
        self.annotations: list[tuple[Iterable[Mapping[str, Any]], int | None]] = []
        self.relations: list[Mapping[str, Any]] = []

    def document(self) -> Document:
        """Passages become one text; offsets that leave wide gaps are closed up."""
        self._wait(self.values, None)
        for passage in list_of(self.values.get("passages"), "'passages'"):
            self._add_passage(passage)
        infons = strings_of(self.values.get("infons") or {})
        if written := self._places(infons.get(SENTENCES, "")):
            self.sentences += written
            del infons[SENTENCES]
        entities = tuple(
            entity
            for values, shift in self.annotations
            for entity in self._made(values, partial(_entity, pieces=self.pieces, shift=shift))
        )
        concepts = by_number(one for entity in entities for one in entity.concept_ids)
        relation = partial(_relation, concepts=concepts, places=self._places)
        document = Document(
            id=self.id,
            text=self.pieces.text(),
            passages=tuple(self.passages),
            entities=entities,
            relations=tuple(self._made(self.relations, relation)),
            sentences=tuple(sorted({*self.sentences}, key=lambda one: (one.start, one.end))),
            labels=_parted(infons.pop(LABELS, "")),
            label_scores=_label_scores(infons.pop(LABEL_SCORES, "")),
            annotated_labels=_parted(infons.pop(ANNOTATED_LABELS, "")),
            provenance=Provenance(source=self.source),
            metadata=infons,
        )
        return standing(document, lambda one, reason: self._refuse(one.id, reason))

    def _add_passage(self, passage: Mapping[str, Any]) -> None:
        text = _words(passage)
        offset = int(passage.get("offset", self.pieces.length))
        start = self.pieces.add(text, offset, "\n")
        end = start + len(text)
        self._wait(passage, start - offset)
        for sentence in list_of(passage.get("sentences"), "'sentences'"):
            if text:
                self._find_sentence(sentence, start - offset)
            else:
                end = max(end, self._add_sentence(sentence))
        infons = strings_of(passage.get("infons") or {})
        kind = infons.pop("type", infons.get("section_type", "passage"))
        heading = infons.pop("heading", "")
        self.passages.append(Passage(start, end, kind, heading, infons))

    def _add_sentence(self, sentence: Mapping[str, Any]) -> int:
        """Append a sentence of a passage without a text of its own, and say where it ends."""
        words = _words(sentence)
        offset = int(sentence.get("offset", self.pieces.length))
        start = self.pieces.add(words, offset, " ")
        self._wait(sentence, start - offset)
        if words:
            self.sentences.append(Span(start, start + len(words)))
        return start + len(words)

    def _find_sentence(self, sentence: Mapping[str, Any], shift: int) -> None:
        """Note a sentence of a passage that has the text already."""
        self._wait(sentence, shift)
        if words := _words(sentence):
            start = int(sentence.get("offset", -shift)) + shift
            if self.pieces.reads(words, start):
                self.sentences.append(Span(start, start + len(words)))
            else:
                problem = f"its passage does not read {words[:60]!r} there"
                self._refuse(sentence.get("offset"), problem, "sentence")

    def _places(self, written: str) -> tuple[Span, ...]:
        """Such as `0-34;35-45` of the file, where they are in the text."""
        found = map(self.pieces.span, evidence_of(written))
        return tuple(one for one in found if one is not None)

    def _wait(self, holder: Mapping[str, Any], shift: int | None) -> None:
        """Remember the annotations and relations of a document, a passage or a sentence."""
        self.annotations.append((list_of(holder.get("annotations"), "'annotations'"), shift))
        self.relations += list_of(holder.get("relations"), "'relations'")

    def _made(
        self, some: Iterable[Mapping[str, Any]], make: Callable[[Mapping[str, Any]], Made]
    ) -> Iterator[Made]:
        """What can be made of annotations or relations; others are set aside."""
        for values in some:
            try:
                made = make(values)
            except BAD_VALUES as problem:
                name = values.get("id") if isinstance(values, Mapping) else None
                self._refuse(name, problem)
            else:
                yield made

    def _refuse(self, name: object, problem: object, kind: str = "annotation") -> None:
        place = f"document {self.id}, {kind} {name or '?'}"
        self.rejects.add(self.source, place, f"bad {kind}: {problem}")


def document_from_bioc(values: Mapping[str, Any], source: str, rejects: Rejects) -> Document:
    """The document of one BioC document's plain values."""
    return _Reader(values, source, rejects).document()


def collection_of(documents: Iterable[Document]) -> Iterator[Any]:
    """A `bioc.BioCDocument` for each document."""
    for document in documents:
        yield _bioc_document(document.with_entity_ids().with_relation_ids())


def _entity(values: Mapping[str, Any], *, pieces: PlacedText, shift: int | None) -> Entity:
    """The entity of an annotation; without a passage's `shift` its place tells it."""
    infons = values.get("infons") or {}
    label = str(infons.get("type") or infons.get("label") or "Entity")
    places = sorted((int(one["offset"]), int(one["length"])) for one in values["locations"])
    if shift is None:
        shift = pieces.shift(places[0][0])
    spans = tuple(Span(start + shift, start + shift + length) for start, length in places)
    text = pieces.text()
    if spans[-1].end > len(text):
        raise BadInputError(f"[{spans[0].start}, {spans[-1].end}) ends beyond the text")
    mention = " ".join(text[one.start : one.end] for one in spans)
    said = values.get("text")
    if said is not None and mention.split() != str(said).split():
        raise BadInputError(f"its place reads {mention[:60]!r}, the file says {str(said)[:60]!r}")
    return Entity(
        spans[0].start,
        spans[-1].end,
        label,
        concept_ids=_concepts(infons, label),
        score=score_of(infons.get("score")),
        fragments=spans if len(spans) > 1 else (),
        id=_identifier(values),
    )


def _words(holder: Mapping[str, Any]) -> str:
    text = holder.get("text")
    return "" if text is None else text_of(text, f"the text {shown(text)}")


def _identifier(values: Mapping[str, Any]) -> str | None:
    return str(values["id"]) if values.get("id") not in (None, "") else None


def _parted(written: str) -> tuple[str, ...]:
    return tuple(one.replace(CODED_BAR, BAR) for one in written.split(BAR)) if written else ()


def _barred(names: Iterable[str]) -> str:
    return BAR.join(one.replace(BAR, CODED_BAR) for one in names)


def _label_scores(written: str) -> dict[str, float]:
    pairs = [one.rpartition("=") for one in _parted(written)]
    return {name: float(score) for name, _, score in pairs}


def _concepts(infons: Mapping[str, Any], label: str) -> tuple[str, ...]:
    for key in IDENTIFIER_KEYS:
        value = infons.get(key)
        if value not in (None, "", []):
            fields = value if isinstance(value, list) else [value]
            found = dict.fromkeys(one for field in fields for one in curies(str(field), label))
            prefix = KEY_PREFIXES.get(key, "")
            return tuple(one.replace("id:", prefix, 1) if prefix else one for one in found)
    return ()


def _relation(
    values: Mapping[str, Any],
    *,
    concepts: Mapping[str, str],
    places: Callable[[str], tuple[Span, ...]],
) -> Relation:
    infons = values.get("infons") or {}
    label = str(infons.get("type") or infons.get("relation") or "relation")
    # PubTator3 names its concepts in role1 and role2; its nodes point at nothing.
    nodes = () if "role1" in infons else values.get("nodes") or ()
    arguments = tuple(
        Argument(str(node.get("role") or f"Arg{number}"), str(node["refid"]))
        for number, node in enumerate(nodes, start=1)
    )
    if not arguments or ARGUMENTS in infons:
        keys = _parted(str(infons[ARGUMENTS])) if arguments else tuple(infons)
        arguments = tuple(_with_concepts(keys, arguments, infons, concepts))
    if not arguments:
        raise BadInputError(f"relation {label!r} names neither mentions nor concepts")
    evidence = places(str(infons.get("evidence") or ""))
    return Relation(label, arguments, score_of(infons.get("score")), _identifier(values), evidence)


def _with_concepts(
    keys: Iterable[str],
    nodes: Iterable[Argument],
    infons: Mapping[str, Any],
    concepts: Mapping[str, str],
) -> Iterator[Argument]:
    """The concepts under these keys; where there is none, the next node."""
    coming = iter(nodes)
    for key in keys:
        found = _concept_argument(key, infons[key], concepts) if key else next(coming, None)
        if found is not None:
            yield found


def _concept_argument(key: str, value: Any, concepts: Mapping[str, str]) -> Argument | None:
    if isinstance(value, Mapping):
        # PubTator3: role1 and role2 hold the concept's type and identifier.
        found = curies(str(value.get("identifier", "")), str(value.get("type", "")))
    else:
        named = () if key in NO_ARGUMENT else curies(str(value), key)
        known = as_mentioned(named, concepts)
        found = tuple(one for one in known if _is_concept(one, concepts))
    return Argument(key.rstrip(AGAIN), BAR.join(found), "concept") if found else None


def _is_concept(identifier: str, concepts: Mapping[str, str]) -> bool:
    """Whether it is more than a word, such as the name of an annotator: a prefix or a mention
    says so, or that it is a number."""
    prefix, _, local = identifier.partition(":")
    return prefix != "id" or local.isdigit() or local in concepts


def _bioc_document(document: Document) -> Any:
    made = bioc.BioCDocument()
    made.id = document.id
    made.infons = _document_infons(document)
    passages = covering_passages(document) or [Passage(0, len(document.text), "text")]
    for passage, numbers in zip(passages, _begin_in(passages, document), strict=True):
        made.add_passage(_bioc_passage(document, passage, numbers))
    for relation in document.relations:
        made.add_relation(_bioc_relation(relation))
    return made


def _document_infons(document: Document) -> dict[str, str]:
    infons = dict(document.metadata)
    if document.provenance.model:
        version = document.provenance.version
        infons["annotator"] = f"{document.provenance.model} {version}".strip()
    scores = (f"{name}={score:.6g}" for name, score in document.label_scores.items())
    kept = {
        LABELS: _barred(document.labels),
        LABEL_SCORES: _barred(scores),
        ANNOTATED_LABELS: _barred(document.annotated_labels),
        SENTENCES: evidence_text(document.sentences),
    }
    return infons | {key: one for key, one in kept.items() if one}


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
        made.add_annotation(_bioc_annotation(document, document.entities[number]))
    return made


def _bioc_annotation(document: Document, entity: Entity) -> Any:
    made = bioc.BioCAnnotation()
    made.id = entity.id
    made.text = document.mention(entity)
    made.infons = {"type": entity.label}
    if entity.concept_ids:
        made.infons["identifier"] = joined(map(prefixed, entity.concept_ids))
    if entity.score is not None:
        made.infons["score"] = f"{entity.score:.6g}"
    for piece in entity.fragments or (Span(entity.start, entity.end),):
        made.add_location(bioc.BioCLocation(piece.start, piece.end - piece.start))
    return made


def _bioc_relation(relation: Relation) -> Any:
    made = bioc.BioCRelation()
    made.id = relation.id
    made.infons = {"type": relation.label}
    if relation.score is not None:
        made.infons["score"] = f"{relation.score:.6g}"
    if relation.evidence:
        made.infons["evidence"] = evidence_text(relation.evidence)
    keys = []
    for argument in relation.arguments:
        key = ""
        if argument.kind == "entity":
            made.add_node(bioc.BioCNode(argument.target, argument.role))
        else:
            key = argument.role
            while key in made.infons:
                key += AGAIN
            made.infons[key] = joined(map(prefixed, argument.target.split(BAR)))
        keys.append(key)
    if made.nodes and any(keys):
        made.infons[ARGUMENTS] = _barred(keys)
    return made
