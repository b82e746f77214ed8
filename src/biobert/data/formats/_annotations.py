"""Mentions and relations as JSON lines have them; BadInputError names what is of another kind."""

from collections.abc import Mapping
from typing import Literal

from biobert.core.document import Argument, Entity, Relation, Span
from biobert.core.errors import BadInputError
from biobert.data.curies import curies
from biobert.data.formats._fields import Fields

ARGUMENT_KINDS: Mapping[str, Literal["entity", "concept"]] = {
    "entity": "entity",
    "concept": "concept",
}


def span_of(found: Fields) -> Span:
    """A stretch of text."""
    return Span(found.whole("start"), found.whole("end"))


def entity_of(found: Fields) -> Entity:
    """A mention; `kb_id` is spaCy's and Prodigy's name of its concept."""
    label = found.name("label")
    if "concept_ids" in found:
        concept_ids = found.names("concept_ids")
    else:
        concept_ids = curies(found.name("kb_id", ""), label)
    return Entity(
        start=found.whole("start"),
        end=found.whole("end"),
        label=label,
        concept_ids=concept_ids,
        score=found.number("score") if "score" in found else None,
        fragments=tuple(map(span_of, found.objects("fragments"))),
        id=found.name("id") if "id" in found else None,
    )


def relation_of(found: Fields) -> Relation:
    """A relation with its arguments."""
    return Relation(
        label=found.name("label"),
        arguments=tuple(map(_argument, found.objects("arguments"))),
        score=found.number("score") if "score" in found else None,
        id=found.name("id") if "id" in found else None,
        evidence=tuple(map(span_of, found.objects("evidence"))),
    )


def _argument(found: Fields) -> Argument:
    kind = ARGUMENT_KINDS.get(found.text("kind", "entity"))
    if kind is None:
        raise BadInputError(f"'kind' is {found.text('kind')!r}, not one of {[*ARGUMENT_KINDS]}")
    return Argument(found.text("role"), found.name("target"), kind)
