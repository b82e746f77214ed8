"""What of a test set stands in the training data too, and the score without it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from biobert.core.document import Document, Entity, Span
from biobert.core.task import Scores
from biobert.text.keys import keys_of, text_key
from biobert.text.sentences import sentences_of

Unit = Literal["sentences", "documents"]


@dataclass(frozen=True, slots=True)
class Training:
    """The documents that a model has learnt from: those of `sources`; `missing` are the names of
    what could not be read."""

    documents: Sequence[Document]
    sources: tuple[str, ...]
    missing: tuple[str, ...] = ()


NOTHING_LEARNT = Training((), ())


@dataclass(frozen=True, slots=True)
class Shared:
    """`count` of the `total` units of the test set stand in `sources` of the training data; what is
    `missing` was not looked at. `main` is the score without them, None where nothing is shared, or
    where the rest has nothing to score."""

    count: int
    total: int
    unit: Unit
    main: float | None
    sources: tuple[str, ...]
    missing: tuple[str, ...] = ()


def without_shared(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    training: Training,
    *,
    measure: Callable[[Sequence[Document], Sequence[Document]], Scores],
    unit: Unit,
) -> Shared:
    """Count what is shared and score the rest.

    Of sentences the entities that begin there are left out, and the relations of those, on both
    sides; of documents (all of whose text is that of a training document) the whole.
    """
    shared = shared_spans(gold, training.documents, unit)
    count, total = sum(map(len, shared)), sum(len(_units(one, unit)) for one in gold)
    main = None
    if 0 < count < total:
        pairs = list(zip(gold, predicted, shared, strict=True))
        if unit == "documents":
            kept = [(one, other) for one, other, spans in pairs if not spans]
        else:
            kept = [(_outside(one, spans), _outside(other, spans)) for one, other, spans in pairs]
        rest = measure([one for one, _ in kept], [other for _, other in kept])
        main = rest.main if rest.micro.support else None
    return Shared(count, total, unit, main, training.sources, training.missing)


def shared_spans(
    documents: Sequence[Document], training: Sequence[Document], unit: Unit
) -> list[list[Span]]:
    """Of each document the units that stand in the training documents.

    Blanks and upper case make no difference.
    """
    by_sentence = unit == "sentences"
    known = keys_of(training) if by_sentence else {text_key(one.text) for one in training}
    return [
        [span for span in _units(one, unit) if text_key(one.text[span.start : span.end]) in known]
        for one in documents
    ]


def _units(document: Document, unit: Unit) -> Sequence[Span]:
    if unit == "sentences":
        return sentences_of(document)
    return [Span(0, len(document.text))] if document.text else []


def _outside(document: Document, spans: Sequence[Span]) -> Document:
    """The document without the entities that begin in one of the spans, and without relations of
    them."""

    def is_left_out(entity: Entity) -> bool:
        return any(span.start <= entity.start < span.end for span in spans)

    gone = {entity.id for entity in document.entities if entity.id and is_left_out(entity)}
    relations = (
        relation
        for relation in document.relations
        if not any(one.kind == "entity" and one.target in gone for one in relation.arguments)
    )
    kept = document.with_entities(one for one in document.entities if not is_left_out(one))
    return replace(kept, relations=tuple(relations))
