"""What of a test set stands in the training data too, and the score without it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from biobert.core.document import Document, Span
from biobert.core.task import Scores
from biobert.text.keys import keys_of, text_key
from biobert.text.sentences import sentences_of

Unit = Literal["sentences", "documents"]


@dataclass(frozen=True, slots=True)
class Shared:
    """`count` units of the test set stand in the training data; `main` is the score without them,
    None where nothing is shared."""

    count: int
    unit: Unit
    main: float | None


def without_shared(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    training: Iterable[Document],
    *,
    measure: Callable[[Sequence[Document], Sequence[Document]], Scores],
    unit: Unit,
) -> Shared:
    """Count what is shared and score the rest.

    Of sentences the entities are left out, on both sides; of documents (all of whose text is that
    of a training document) the whole. Blanks and upper case make no difference.
    """
    pairs = list(zip(gold, predicted, strict=True))
    if unit == "documents":
        known = {text_key(document.text) for document in training}
        kept = [pair for pair in pairs if text_key(pair[0].text) not in known]
        count = len(pairs) - len(kept)
    else:
        known = keys_of(training)
        stretches = [_known_sentences(document, known) for document in gold]
        count = sum(map(len, stretches))
        kept = [
            (_outside(one, spans), _outside(other, spans))
            for (one, other), spans in zip(pairs, stretches, strict=True)
        ]
    if not count or not kept:
        return Shared(count, unit, None)
    return Shared(count, unit, measure([one for one, _ in kept], [two for _, two in kept]).main)


def _known_sentences(document: Document, known: set[str]) -> list[Span]:
    return [
        span
        for span in sentences_of(document)
        if text_key(document.text[span.start : span.end]) in known
    ]


def _outside(document: Document, spans: Sequence[Span]) -> Document:
    """The document without the entities that begin in one of the spans."""
    if not spans:
        return document
    return document.with_entities(
        entity
        for entity in document.entities
        if not any(span.start <= entity.start < span.end for span in spans)
    )
