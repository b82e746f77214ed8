"""What of a test set stands in the training data too, and the score without it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from biobert.core.document import Document, Entity, Span
from biobert.core.task import Scores
from biobert.text.keys import keys_of, text_key
from biobert.text.sentences import sentences_of

Unit = Literal["sentences", "documents"]
Measure = Callable[[Sequence[Document], Sequence[Document]], Scores]
SHORTEST_PART = 5
"""Words. What is shorter is a heading or a phrase of every paper."""


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
    """`count` of the `total` units of the test set stand in `sources` of the training data, as
    `distinct` texts; what is `missing` was not looked at. `main` is the score without them, None
    where nothing is shared, or where the rest has nothing to score. Of documents, `in_part` counts
    those too of which a part stands there, and `main_without_parts` is the score without these.
    """

    count: int
    total: int
    unit: Unit
    main: float | None
    sources: tuple[str, ...]
    missing: tuple[str, ...] = ()
    in_part: int | None = None
    main_without_parts: float | None = None
    distinct: int | None = None


def without_shared(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    training: Training,
    *,
    measure: Measure,
    unit: Unit,
) -> Shared:
    """Count what is shared and score the rest.

    Of sentences the entities that begin there are left out, and the relations of those, on both
    sides; of documents the whole: those all of whose text is that of a training document, and once
    more also those of which `shared_in_part` finds a part.
    """
    shared = shared_spans(gold, training.documents, unit)
    count, total = sum(map(len, shared)), sum(len(_units(one, unit)) for one in gold)
    texts = {
        text_key(one.text[span.start : span.end])
        for one, spans in zip(gold, shared, strict=True)
        for span in spans
    }
    found = Shared(
        count, total, unit, None, training.sources, training.missing, distinct=len(texts)
    )
    pairs = list(zip(gold, predicted, strict=True))
    if unit == "sentences":
        kept = [
            (_outside(one, spans), _outside(other, spans))
            for (one, other), spans in zip(pairs, shared, strict=True)
        ]
        return replace(found, main=_main(kept, measure) if 0 < count < total else None)
    whole = list(map(bool, shared))
    partly = shared_in_part(gold, training.documents)
    return replace(
        found,
        main=_main_without(whole, pairs, measure),
        in_part=sum(partly),
        main_without_parts=_main_without(partly, pairs, measure),
    )


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


def shared_in_part(documents: Sequence[Document], training: Sequence[Document]) -> list[bool]:
    """Of each document whether one of its passages stands in the training documents (the context of
    a question, one of two sentences that are compared); where no passages part it, a sentence.

    A document that stands there whole is one of them. Parts count from SHORTEST_PART words on.
    """
    known = keys_of(training) | {
        text_key(one.text[part.start : part.end]) for one in training for part in one.passages
    }
    return [any(key in known for key in _part_keys(one)) for one in documents]


def _part_keys(document: Document) -> Iterator[str]:
    text = document.text
    if text:
        yield text_key(text)
    passages = document.passages
    for part in passages if len(passages) > 1 else sentences_of(document):
        key = text_key(text[part.start : part.end])
        if key.count(" ") + 1 >= SHORTEST_PART:
            yield key


def _main_without(
    left_out: Sequence[bool], pairs: Sequence[tuple[Document, Document]], measure: Measure
) -> float | None:
    """The score of the other documents; None where none is left out, or nothing is left."""
    kept = [pair for pair, is_out in zip(pairs, left_out, strict=True) if not is_out]
    return _main(kept, measure) if len(kept) < len(pairs) else None


def _main(pairs: Sequence[tuple[Document, Document]], measure: Measure) -> float | None:
    if not any(one.text for one, _ in pairs):
        return None
    rest = measure([one for one, _ in pairs], [other for _, other in pairs])
    return rest.main if rest.micro.support else None


def _units(document: Document, unit: Unit) -> Sequence[Span]:
    if unit == "sentences":
        return sentences_of(document)
    return [Span(0, len(document.text))] if document.text else []


def _outside(document: Document, spans: Sequence[Span]) -> Document:
    """The document without the entities that begin in one of the spans, and without relations of
    them."""

    def is_left_out(entity: Entity) -> bool:
        return any(span.start <= entity.start < span.end for span in spans)

    # Relations may know a mention by the number that its place gives it.
    document = document.with_entity_ids()
    gone = {entity.id for entity in document.entities if is_left_out(entity)}
    relations = (
        relation
        for relation in document.relations
        if not any(one.kind == "entity" and one.target in gone for one in relation.arguments)
    )
    kept = document.with_entities(one for one in document.entities if not is_left_out(one))
    return replace(kept, relations=tuple(relations))
