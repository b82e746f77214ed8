"""Strict entity-level precision, recall and F1: a mention counts when its place and type agree.

The place is start and end, and where a mention has pieces those too: the continuous "breast and
ovarian cancer" is not the "breast ... cancer" of a gold corpus.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from biobert.core.document import Document, Entity, Span
from biobert.core.errors import BadInputError
from biobert.core.task import Score, Scores

Mention = tuple[int, int, tuple[Span, ...], str]
"""Start, end, fragments and type."""
Key = tuple[int, Mention]
"""Document number and mention."""


def score_entities(
    gold: Sequence[Document], predicted: Sequence[Document], labels: Sequence[str]
) -> Scores:
    """Scores over the entities of these labels; documents are compared in order.

    `main` is the micro F1; `details["macro"]` averages precision, recall and F1 over labels that
    occur in gold or prediction, as seqeval does.
    """
    check_same_texts(gold, predicted)
    wanted = entity_keys(gold, labels)
    found = entity_keys(predicted, labels)
    by_label = {
        label: score(
            wanted={key for key in wanted if key[1][3] == label},
            found={key for key in found if key[1][3] == label},
        )
        for label in labels
    }
    micro = score(wanted=wanted, found=found)
    used = {mention[3] for _, mention in wanted | found}
    macro = macro_average([one for label, one in by_label.items() if label in used])
    return Scores(micro.f1, micro, by_label, {"macro": macro})


def entity_keys(documents: Iterable[Document], labels: Iterable[str]) -> set[Key]:
    """The mentions of these labels, each as a key that is equal where the mention is."""
    wanted = frozenset(labels)
    return {
        (number, mention_key(entity))
        for number, document in enumerate(documents)
        for entity in document.entities
        if entity.label in wanted
    }


def mention_key(entity: Entity) -> Mention:
    """What tells a mention from another; one piece is a continuous mention."""
    fragments = entity.fragments if len(entity.fragments) > 1 else ()
    return entity.start, entity.end, fragments, entity.label


def annotated_alone(
    gold: Sequence[Document], predicted: Sequence[Document]
) -> tuple[list[Document], list[Document]]:
    """Both sides, each document without entities of types that its annotators did not look for:
    nobody has said whether these are right."""
    check_same_texts(gold, predicted)
    types = [one.annotated_labels for one in gold]
    own, found = (
        [_of_types(*pair) for pair in zip(side, types, strict=True)] for side in (gold, predicted)
    )
    return own, found


def _of_types(document: Document, annotated: Sequence[str]) -> Document:
    kept = tuple(document.entities_labelled(annotated)) if annotated else document.entities
    return document if len(kept) == len(document.entities) else replace(document, entities=kept)


def score(*, wanted: set[Key], found: set[Key]) -> Score:
    """Precision, recall and F1 of a set of mentions; a division by zero gives 0."""
    return score_from_counts(len(wanted & found), len(wanted), len(found))


def score_from_counts(correct: int, wanted: int, found: int) -> Score:
    """Scores from counts of correct, gold and predicted mentions."""
    precision = correct / found if found else 0.0
    recall = correct / wanted if wanted else 0.0
    total = precision + recall
    return Score(precision, recall, 2 * precision * recall / total if total else 0.0, wanted)


def macro_average(scores: Sequence[Score]) -> dict[str, float]:
    """The unweighted mean over labels."""
    count = max(1, len(scores))
    return {
        name: sum(getattr(one, name) for one in scores) / count
        for name in ("precision", "recall", "f1")
    }


def check_same_texts(gold: Sequence[Document], predicted: Sequence[Document]) -> None:
    """An error unless both sides are the same documents in the same order."""
    if len(gold) != len(predicted):
        raise BadInputError(f"{len(gold)} gold documents but {len(predicted)} predicted ones")
    for one, other in zip(gold, predicted, strict=True):
        if one.text != other.text:
            raise BadInputError(
                f"gold document {one.id!r} and predicted {other.id!r} differ in text; "
                "predict on the gold file's own text, in its order"
            )
