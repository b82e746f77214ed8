"""Changing a document's text while every annotation stays with its words."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from biobert.core.document import Document, Entity, Passage, Relation, RelationEnds, Span
from biobert.core.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `text` in the place of the characters [start, end)."""

    start: int
    end: int
    text: str


def edited(document: Document, edits: Sequence[Edit]) -> Document:
    """The document with these stretches replaced, and all of its spans moved along.

    A span that begins or ends inside a replaced stretch takes all of the new text; one whose words
    are gone altogether is left out, and so are relations that need it. Raises BadInputError for
    edits that overlap or leave the text.
    """
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    _check(document, ordered)
    if document.relations:
        # What is left out must not give its identifier to the next.
        document = document.with_entity_ids()
    shift = _Shift(ordered)
    found = replace(
        document,
        text=_new_text(document.text, ordered),
        passages=tuple(shift.passage(one) for one in document.passages),
        entities=tuple(kept for one in document.entities if (kept := shift.entity(one))),
        relations=tuple(shift.relation(one) for one in document.relations),
        sentences=tuple(moved for one in document.sentences if (moved := shift.span(one))),
    )
    return RelationEnds(found).standing() if found.relations else found


def _new_text(text: str, edits: Sequence[Edit]) -> str:
    parts, position = [], 0
    for edit in edits:
        parts += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*parts, text[position:]])


def _check(document: Document, edits: Sequence[Edit]) -> None:
    position = 0
    for edit in edits:
        if edit.start < position or edit.end < edit.start or edit.end > len(document.text):
            raise BadInputError(
                f"document {document.id!r}: edit [{edit.start}, {edit.end}) overlaps another or "
                f"leaves the text of {len(document.text)} characters"
            )
        position = edit.end


class _Shift:
    """Where old places stand in the new text."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits = edits
        self._starts = [edit.start for edit in edits]
        growth = (len(edit.text) - (edit.end - edit.start) for edit in edits)
        self._moved = [0, *accumulate(growth)]

    def start(self, place: int) -> int:
        """Of a span's first character: inside a replaced stretch, the new stretch's first."""
        number = bisect_right(self._starts, place)
        if number and place < self._edits[number - 1].end:
            return self._edits[number - 1].start + self._moved[number - 1]
        return place + self._moved[number]

    def end(self, place: int) -> int:
        """Of the place behind a span: inside a replaced stretch, that behind the new one."""
        number = bisect_right(self._starts, place - 1)
        if number and place <= self._edits[number - 1].end:
            return self._edits[number - 1].end + self._moved[number]
        return place + self._moved[number]

    def span(self, span: Span) -> Span | None:
        """The span in the new text, or None where nothing is left of it."""
        start, end = self.start(span.start), self.end(span.end)
        return Span(start, end) if start < end else None

    def passage(self, passage: Passage) -> Passage:
        """The passage in the new text; it may have become empty."""
        if passage.start == passage.end:
            place = self.start(passage.start)
            return replace(passage, start=place, end=place)
        start, end = self.start(passage.start), self.end(passage.end)
        return replace(passage, start=start, end=max(start, end))

    def entity(self, entity: Entity) -> Entity | None:
        """The entity in the new text, or None where nothing is left of it."""
        span = self.span(Span(entity.start, entity.end))
        if span is None:
            return None
        moved = (self.span(one) for one in entity.fragments)
        fragments = tuple(one for one in moved if one is not None)
        if entity.fragments and not fragments:
            return None  # what stood between them is none of its words
        if fragments:
            span = Span(fragments[0].start, fragments[-1].end)
        fragments = fragments if len(fragments) > 1 else ()
        return replace(entity, start=span.start, end=span.end, fragments=fragments)

    def relation(self, relation: Relation) -> Relation:
        """The relation with its evidence in the new text."""
        moved = (self.span(one) for one in relation.evidence)
        return replace(relation, evidence=tuple(one for one in moved if one is not None))
