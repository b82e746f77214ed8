"""The text that shows a pair to the encoder: which sentences, which mark first, which names."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Literal

from biobert.core.document import Document, Span
from biobert.core.task import Example
from biobert.tasks._candidates import PairType, mentioning, merged, pair_type_of
from biobert.tasks._marking import Blinded, Marked, MarkedText, Marking, mark, mentions_of
from biobert.tasks._memory import Remembered
from biobert.text.sentences import sentences_of

Blinding = Literal["none", "others", "all"]
REMEMBERED = 1000
"""So many documents are known at once by their sentences and what is blinded in them."""


class PairTexts:
    """Marks both arguments of an example.

    `blinding` puts the type's name in place of the `others` that a pair of this task might have
    been, or of `all`, the two themselves among them. `is_excerpt` leaves out sentences of a
    document that mention neither.
    """

    def __init__(
        self,
        pairs: Sequence[PairType],
        *,
        marking: Marking,
        order: Literal["role", "text"],
        blinding: Blinding,
        is_excerpt: bool,
    ) -> None:
        self._pairs = pairs
        self._marking: Marking = marking
        self._order = order
        self._blinding = blinding
        self._is_excerpt = is_excerpt
        self._types = {
            label: name
            for pair in reversed(pairs)
            for name, labels in zip(pair.names, pair.labels, strict=True)
            for label in labels
        }
        self._sentences: Remembered[Sequence[Span]] = Remembered(sentences_of, REMEMBERED)
        self._mentions: Remembered[list[Blinded]] = Remembered(self._mentions_of, REMEMBERED)

    def __call__(self, example: Example) -> MarkedText:
        """The marked text of an example."""
        document, stretches = example.document, [Span(example.start, example.end)]
        if self._is_excerpt:
            stretches = mentioning(example, self._sentences[document])
        types = pair_type_of(example, self._pairs).names
        first, second = (
            Marked(mentions_of(mentions), _placeholder(type))
            for mentions, type in zip(example.arguments, types, strict=True)
        )
        blinded = self._blinded(example, (first, second), types)
        if self._order == "text" and second.spans[0].start < first.spans[0].start:
            first, second = second, first
        return mark(document.text, stretches, (first, second), self._marking, blinded)

    def _blinded(
        self, example: Example, arguments: tuple[Marked, Marked], types: tuple[str, str]
    ) -> list[Blinded]:
        if self._blinding == "none":
            return []
        own = [
            Blinded(span, _word(type))
            for one, type in zip(arguments, types, strict=True)
            for span in one.spans
        ]
        mentions = self._mentions[example.document]
        begin, end = (
            bisect_left(mentions, place, key=lambda one: one.span.start)
            for place in (example.start, example.end)
        )
        taken = merged(one.span for one in own)
        others = [one for one in mentions[begin:end] if not _touches(one.span, taken)]
        return _apart(others + own) if self._blinding == "all" else others

    def _mentions_of(self, document: Document) -> list[Blinded]:
        return _apart(
            Blinded(span, _word(self._types[entity.label]))
            for entity in document.entities
            if entity.label in self._types
            for span in mentions_of([entity])
        )


def _apart(blinded: Iterable[Blinded]) -> list[Blinded]:
    """In text order, without those that overlap one before them."""
    found: list[Blinded] = []
    for one in sorted(blinded, key=lambda one: (one.span.start, -one.span.end)):
        if not found or found[-1].span.end <= one.span.start:
            found.append(one)
    return found


def _touches(span: Span, others: Sequence[Span]) -> bool:
    """Whether the span overlaps one of the others, which stand in text order and apart."""
    following = bisect_left(others, span.end, key=lambda one: one.start)
    return following > 0 and others[following - 1].end > span.start


def _placeholder(type: str) -> str:
    return "".join(sign for sign in type.upper() if sign.isalnum())


def _word(type: str) -> str:
    return _placeholder(type).lower()
