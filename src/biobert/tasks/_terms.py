"""Names that a tagger is told, beside what it has learnt: marked wherever they stand."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from biobert.core.arguments import check_list
from biobert.core.document import Entity, Span
from biobert.core.errors import BadInputError
from biobert.tasks._consistency import Names, plain

CERTAIN = 1.0


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
            if label_of.setdefault(plain(_small(name)), label) != label:
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
    kept = list(entities)
    spans = sorted(
        ((span, name) for name, some in terms.names.places(_small(text)).items() for span in some),
        key=lambda one: one[0].start - one[0].end,
    )
    for span, name in spans:
        if not any(_reaches_beyond(one, span) for one in kept):
            label = terms.label_of[name]
            rivals = {label, *excluded[label]}
            kept = [one for one in kept if not _gives_way(one, span, rivals)]
            kept.append(Entity(span.start, span.end, label, score=CERTAIN))
    return kept


def _reaches_beyond(entity: Entity, span: Span) -> bool:
    overlaps = entity.start < span.end and span.start < entity.end
    return overlaps and not _is_inside(entity, span)


def _gives_way(entity: Entity, span: Span, rivals: Set[str]) -> bool:
    same = (entity.start, entity.end) == (span.start, span.end)
    return same or (entity.label in rivals and _is_inside(entity, span))


def _is_inside(entity: Entity, span: Span) -> bool:
    return span.start <= entity.start and entity.end <= span.end


def _small(text: str) -> str:
    """In small letters, each where it stood: a few would become two."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(small if len(small := one.lower()) == 1 else one for one in text)
