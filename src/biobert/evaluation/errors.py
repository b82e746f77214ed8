"""What went wrong, kind by kind, and on mentions that training had or had not shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from biobert.core.document import Document, Entity
from biobert.evaluation.spans import Mention, mention_key

Kind = Literal["correct", "wrong boundary", "wrong type", "missed", "spurious"]


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """Counts by kind of error, some examples, and recall on seen and unseen mentions.

    A prediction that overlaps a gold mention of its type is a wrong boundary; one with the gold
    boundaries but another type a wrong type; what is left is missed (gold) or spurious.
    """

    counts: dict[Kind, int]
    examples: dict[Kind, list[str]]
    recall_seen: float | None
    recall_unseen: float | None


EXAMPLES = 8


def error_table(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    labels: Sequence[str],
    *,
    seen: Iterable[str] | None = None,
) -> ErrorTable:
    """Sort every gold and predicted mention; `seen` are the mentions of the training data."""
    counts: dict[Kind, int] = dict.fromkeys(
        ("correct", "wrong boundary", "wrong type", "missed", "spurious"), 0
    )
    examples: dict[Kind, list[str]] = {kind: [] for kind in counts if kind != "correct"}
    known = None if seen is None else {mention.lower() for mention in seen}
    found_of = {True: [0, 0], False: [0, 0]}
    for one, other in zip(gold, predicted, strict=True):
        wanted = list(one.entities_labelled(labels))
        answers = list(other.entities_labelled(labels))
        for kind, entity in _sorted_out(wanted, answers):
            counts[kind] += 1
            if kind != "correct" and len(examples[kind]) < EXAMPLES:
                examples[kind].append(f"{one.mention(entity)} ({entity.label}, {one.id})")
        if known is not None:
            exact = set(map(mention_key, answers))
            for entity in wanted:
                tally = found_of[one.mention(entity).lower() in known]
                tally[0] += mention_key(entity) in exact
                tally[1] += 1
    return ErrorTable(counts, examples, _share(found_of[True]), _share(found_of[False]))


def _sorted_out(
    wanted: Sequence[Entity], answers: Sequence[Entity]
) -> Iterable[tuple[Kind, Entity]]:
    exact = set(map(mention_key, wanted))
    explained: set[Mention] = set()
    for answer in answers:
        key = mention_key(answer)
        if key in exact:
            explained.add(key)
            yield "correct", answer
            continue
        touched = [one for one in wanted if one.start < answer.end and answer.start < one.end]
        same_type = [one for one in touched if one.label == answer.label]
        same_place = [one for one in touched if mention_key(one)[:3] == key[:3]]
        if same_type:
            explained.update(map(mention_key, same_type))
            yield "wrong boundary", answer
        elif same_place:
            explained.update(map(mention_key, same_place))
            yield "wrong type", answer
        else:
            yield "spurious", answer
    for entity in wanted:
        if mention_key(entity) not in explained:
            yield "missed", entity


def _share(tally: Sequence[int]) -> float | None:
    return tally[0] / tally[1] if tally[1] else None
