"""Relations that point at what their document has, and how formats write what is known of them."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from biobert.core.document import Document, Relation, RelationEnds, Span

EVIDENCE = re.compile(r"(\d{1,9})-(\d{1,9})")


def standing(document: Document, refuse: Callable[[Relation, str], None]) -> Document:
    """The document without the relations that point at what it lacks.

    Each of these goes to `refuse`, with the reason.
    """
    if not document.relations:
        return document
    ends = RelationEnds(document)
    for number, target in ends.astray().items():
        relation = document.relations[number]
        reason = f"relation {relation.label!r} points at {target!r}, which the document lacks"
        refuse(relation, reason)
    return ends.standing()


def score_of(value: Any) -> float | None:
    """A probability as a file has it; None where it is none."""
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    return score if 0.0 <= score <= 1.0 else None


def evidence_of(written: str) -> tuple[Span, ...]:
    """The stretches of a text that `evidence_text` wrote; what is none is passed over."""
    places = [EVIDENCE.fullmatch(one) for one in written.split(";")]
    return tuple(Span(int(one[1]), int(one[2])) for one in places if one)


def evidence_text(evidence: Iterable[Span]) -> str:
    """Such as `0-34;35-45`."""
    return ";".join(f"{one.start}-{one.end}" for one in evidence)
