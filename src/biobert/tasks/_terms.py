"""Names that a tagger is told, beside what it has learnt: marked wherever they stand."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import count

from biobert.core.arguments import check_list
from biobert.core.document import Entity, Span
from biobert.core.errors import BadInputError
from biobert.tasks._consistency import Names, plain
from biobert.text.letters import letter_by_letter

CERTAIN = 1.0
STRETCH = 64
"""Characters."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The names that a tagger is told, plain and in small letters, and the label of each."""

    label_of: Mapping[str, str]
    names: Names


def check_terms(terms: Mapping[str, Sequence[str]], labels: Sequence[str]) -> Terms:
    """The names by their labels; an error for what is no label, and for a name that has two."""
    label_of: dict[str, str] = {}
    for label, names in terms.items():
        if label not in labels:
            raise BadInputError(f"[task] terms: {label!r} is none of the labels {list(labels)}")
        check_list(f"[task] terms.{label}", names)
        for name in names:
            if not isinstance(name, str) or not name.strip():
                raise BadInputError(f"[task] terms of {label}: {name!r} is no name")
            if label_of.setdefault(plain(letter_by_letter(name, str.lower)), label) != label:
                raise BadInputError(f"[task] terms: {name!r} has two labels; leave it one")
    return Terms(label_of, Names(label_of))


def with_terms(
    text: str, entities: Sequence[Entity], terms: Terms, excluded: Mapping[str, Set[str]]
) -> list[Entity]:
    """The entities, and the names that stand in the text, in large letters or small.

    A name gives way to what reaches beyond it: influenza virus is no influenza. It takes the place
    of any mention of the same span, and of mentions inside of its own type, or of one that
    `excluded` names for it. Of names that overlap the longest is marked.
    """
    kept = _Kept(entities)
    spans = sorted(
        (
            (span, name)
            for name, some in terms.names.places(letter_by_letter(text, str.lower)).items()
            for span in some
        ),
        key=lambda one: one[0].start - one[0].end,
    )
    for span, name in spans:
        overlapping = kept.overlapping(span)
        if all(_is_inside(one, span) for one in overlapping.values()):
            label = terms.label_of[name]
            rivals = {label, *excluded[label]}
            for number, one in overlapping.items():
                if _gives_way(one, span, rivals):
                    kept.drop(number)
            kept.add(Entity(span.start, span.end, label, score=CERTAIN))
    return kept.entities()


class _Kept:
    """Mentions, each under a number and looked up by the stretches of the text that it touches: a
    long text has thousands of them, and as many names."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._numbers = count()
        self._by_number: dict[int, Entity] = {}
        self._touching: defaultdict[int, set[int]] = defaultdict(set)
        for one in entities:
            self.add(one)

    def add(self, entity: Entity) -> None:
        number = next(self._numbers)
        self._by_number[number] = entity
        for stretch in _stretches(entity):
            self._touching[stretch].add(number)

    def drop(self, number: int) -> None:
        for stretch in _stretches(self._by_number.pop(number)):
            self._touching[stretch].remove(number)

    def overlapping(self, span: Span) -> dict[int, Entity]:
        near = set().union(*(self._touching[stretch] for stretch in _stretches(span)))
        found = {number: self._by_number[number] for number in near}
        return {
            number: one
            for number, one in found.items()
            if one.start < span.end and span.start < one.end
        }

    def entities(self) -> list[Entity]:
        return list(self._by_number.values())


def _stretches(part: Entity | Span) -> range:
    return range(part.start // STRETCH, (part.end - 1) // STRETCH + 1)


def _gives_way(entity: Entity, span: Span, rivals: Set[str]) -> bool:
    same = (entity.start, entity.end) == (span.start, span.end)
    return same or (entity.label in rivals and _is_inside(entity, span))


def _is_inside(entity: Entity, span: Span) -> bool:
    return span.start <= entity.start and entity.end <= span.end
