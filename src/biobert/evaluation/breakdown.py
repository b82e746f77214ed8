"""Where a system is weak: recall by the length of mentions, of sentences, and by how often a
mention came in training."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from biobert.core.document import Document, Entity, Span
from biobert.evaluation.spans import mention_key
from biobert.text.sentences import sentences_of


@dataclass(frozen=True, slots=True)
class Recall:
    """How many of the gold mentions of a kind were found exactly."""

    kind: str
    found: int
    gold: int

    @property
    def share(self) -> float:
        """Recall as a fraction."""
        return self.found / self.gold if self.gold else 0.0


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Recall of mentions by three measures; kinds without a gold mention are left out."""

    mention_words: tuple[Recall, ...]
    sentence_words: tuple[Recall, ...]
    training_mentions: tuple[Recall, ...]


MENTION_LIMITS = (1, 2, 3)
SENTENCE_LIMITS = (15, 30, 60)
TRAINING_LIMITS = (0, 1, 5)


def break_down(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    training: Iterable[Document] | None,
) -> Breakdown:
    """Recall by words in the mention, words in its sentence, and, where training documents are at
    hand, times it came in them."""
    seen = Counter(_folded(one, entity) for one in training or () for entity in one.entities)
    mentions, sentences, frequencies = _Tally(), _Tally(), _Tally()
    for one, other in zip(gold, predicted, strict=True):
        answers = set(map(mention_key, other.entities))
        spans = sentences_of(one)
        for entity in one.entities:
            is_found = mention_key(entity) in answers
            mentions.add(len(one.mention(entity).split()), is_found)
            sentences.add(_words_around(one, spans, entity), is_found)
            frequencies.add(seen[_folded(one, entity)], is_found)
    return Breakdown(
        mentions.rows(MENTION_LIMITS, lowest=1),
        sentences.rows(SENTENCE_LIMITS, lowest=1),
        () if training is None else frequencies.rows(TRAINING_LIMITS, lowest=0),
    )


class _Tally:
    """Values, each with how often it came and was right."""

    def __init__(self) -> None:
        self._all: Counter[int] = Counter()
        self._right: Counter[int] = Counter()

    def add(self, value: int, is_found: bool) -> None:
        self._all[value] += 1
        self._right[value] += is_found

    def rows(self, limits: Sequence[int], *, lowest: int) -> tuple[Recall, ...]:
        """One row up to each limit, and one beyond the last."""
        rows, low = [], lowest
        for limit in limits:
            name = str(limit) if low == limit else f"{low} to {limit}"
            rows.append(self._row(name, low, limit))
            low = limit + 1
        rows.append(self._row(f"{low} and more", low, max(self._all, default=low)))
        return tuple(row for row in rows if row.gold)

    def _row(self, name: str, low: int, high: int) -> Recall:
        values = [value for value in self._all if low <= value <= high]
        found = sum(self._right[value] for value in values)
        return Recall(name, found, sum(self._all[value] for value in values))


def _folded(document: Document, entity: Entity) -> str:
    return document.mention(entity).lower()


def _words_around(document: Document, sentences: Sequence[Span], entity: Entity) -> int:
    for span in sentences:
        if span.start <= entity.start < span.end:
            return len(document.text[span.start : span.end].split())
    return 0
