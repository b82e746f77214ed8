"""What de-identification leaves in a text, and what it takes out for nothing."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from biobert.core.document import Document, Entity
from biobert.evaluation.spans import check_same_texts

WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Removed:
    """Of so many identifiers of a kind, those without a letter or digit left in the text, and those
    of them that were also called by their kind."""

    identifiers: int
    removed: int
    named: int

    @property
    def recall(self) -> float:
        """The share that is gone."""
        return self.removed / self.identifiers if self.identifiers else 0.0


@dataclass(frozen=True, slots=True)
class LeakScores:
    """Recall by kind and of all, the share of replacements that touch an identifier, the share of
    the identifiers' letters and digits that are still in the text, and of the words that belong to
    no identifier the share that was replaced, whole or in part."""

    by_kind: Mapping[str, Removed]
    overall: Removed
    precision: float
    leak_rate: float
    clean_words_replaced: float


def score_leaks(gold: Sequence[Document], found: Sequence[Document]) -> LeakScores:
    """Compare what was found, as entities, with the gold entities of the same texts, in order.

    An identifier counts as removed when every letter and digit of it is replaced, under whatever
    kind: a telephone number called a fax number is out of the text all the same.
    """
    check_same_texts(gold, found)
    identifiers: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    named: Counter[str] = Counter()
    left = characters = touching = replaced = clean = lost = 0
    for wanted, given in zip(gold, found, strict=True):
        covered, meant = _covered(given), _covered(wanted)
        touching += sum(1 in meant[one.start : one.end] for one in given.entities)
        replaced += len(given.entities)
        words = [one.span() for one in WORD.finditer(wanted.text)]
        words = [(start, end) for start, end in words if 1 not in meant[start:end]]
        clean += len(words)
        lost += sum(1 in covered[start:end] for start, end in words)
        for entity in wanted.entities:
            places = [at for at in range(entity.start, entity.end) if wanted.text[at].isalnum()]
            missed = sum(not covered[at] for at in places)
            left, characters = left + missed, characters + len(places)
            identifiers[entity.label] += 1
            removed[entity.label] += not missed
            named[entity.label] += not missed and _is_named(entity, given)
    return LeakScores(
        {one: Removed(identifiers[one], removed[one], named[one]) for one in sorted(identifiers)},
        Removed(identifiers.total(), removed.total(), named.total()),
        touching / replaced if replaced else 0.0,
        left / characters if characters else 0.0,
        lost / clean if clean else 0.0,
    )


def _covered(document: Document) -> bytearray:
    """A 1 for every character inside an entity."""
    covered = bytearray(len(document.text))
    for one in document.entities:
        covered[one.start : one.end] = b"\1" * (one.end - one.start)
    return covered


def _is_named(entity: Entity, found: Document) -> bool:
    kinds = {
        one.label for one in found.entities if one.start < entity.end and entity.start < one.end
    }
    return kinds == {entity.label}
