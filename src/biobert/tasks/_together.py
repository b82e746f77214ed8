"""What several tasks say of one document, put together."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from biobert.core.document import Document, Entity, Relation
from biobert.evaluation.spans import mention_key

A = TypeVar("A")


def together(document: Document, answers: Sequence[Document]) -> Document:
    """All that the answers say; entities that none of them touched stay as they came."""
    came, named = document.entities, document.with_entity_ids().entities
    # By identity: what a tagger found anew may equal what came.
    found = [one.entities for one in answers if one.entities is not came and one.entities != named]
    relations = _each_once(one.relations for one in answers)
    given = named if relations else came
    return replace(
        document,
        labels=_each_once(one.labels for one in answers),
        label_scores={label: score for one in answers for label, score in one.label_scores.items()},
        relations=relations,
    ).with_entities(_with_ends(_each_once(found), given, relations) if found else given)


def _with_ends(
    found: Sequence[Entity], given: Sequence[Entity], relations: Sequence[Relation]
) -> list[Entity]:
    """The entities found, and those given that relations are of: a mention that is both once, with
    the names that relations know it by."""
    targets = {argument.target for relation in relations for argument in relation.arguments}
    scores = {mention_key(one): one.score for one in found}
    ends = [
        replace(one, score=scores.get(mention_key(one), one.score))
        for one in given
        if not targets.isdisjoint((one.id, *one.concept_ids))
    ]
    known = {mention_key(one) for one in ends}
    return [*ends, *(one for one in found if mention_key(one) not in known)]


def _each_once(some: Iterable[tuple[A, ...]]) -> tuple[A, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(some)))
