"""Scores of words and their tags, in documents whose entities are words labelled with tags."""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from biobert.core.document import Document, Entity
from biobert.core.task import Counts, Scores
from biobert.evaluation.labels import OUTSIDE, ConfusionMatrix, confusion_matrix
from biobert.evaluation.significance import counted_by_sentence
from biobert.evaluation.spans import check_same_texts, score_entities

CONFUSIONS_SHOWN = 20


def score_words(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    labels: Sequence[str],
    names: tuple[str, str] = ("tag_accuracy", "word_accuracy"),
) -> Scores:
    """Scores over the gold words whose tag is one of `labels`.

    `main` is the tag accuracy: the share of gold words that begin in a predicted word of the same
    tag. Where white space parts the gold words, as in treebanks, that is the accuracy with the gold
    words given, which the literature reports. `micro`, `by_label` and `details["word_accuracy"]`
    are strict: a word counts when start, end and tag agree. `details["confusions"]` lists the most
    frequent wrong tags. Sentences are scored alike; `names` are those of the two accuracies.
    """
    strict = score_entities(gold, predicted, labels)
    matrix = tag_confusion(gold, predicted, labels)
    words = int(matrix.counts.sum())
    accuracy = int(np.trace(matrix.counts)) / words if words else 0.0
    details = {
        names[0]: accuracy,
        names[1]: strict.micro.recall,
        **strict.details,
        "confusions": _confusions(matrix),
    }
    return Scores(accuracy, strict.micro, strict.by_label, details)


def tag_confusion(
    gold: Sequence[Document], predicted: Sequence[Document], labels: Sequence[str]
) -> ConfusionMatrix:
    """The tags of the gold words whose tag is one of `labels`, beside those of the predicted words
    that they begin in (`O` where there is none)."""
    known = frozenset(labels)
    pairs = [
        (word.label, tag)
        for one, other in zip(gold, predicted, strict=True)
        for word, tag in _tagged(one, other, known)
    ]
    return confusion_matrix([wanted for wanted, _ in pairs], [found for _, found in pairs])


def word_counts(
    gold: Sequence[Document], predicted: Sequence[Document], labels: Sequence[str]
) -> Counts:
    """Of every sentence the gold words with their right tag, and twice all of them: the micro F1 of
    these is the tag accuracy."""
    check_same_texts(gold, predicted)
    known = frozenset(labels)
    rows: list[Counts] = []
    for one, other in zip(gold, predicted, strict=True):
        tagged = _tagged(one, other, known)
        right = [word.start for word, tag in tagged if tag == word.label]
        words = [word.start for word, _ in tagged]
        rows.append(counted_by_sentence(one, right, words, words))
    return np.concatenate(rows) if rows else np.zeros((0, 3))


def _tagged(
    gold: Document, predicted: Document, labels: frozenset[str]
) -> list[tuple[Entity, str]]:
    """Each gold word, and the tag of the predicted word it begins in (O where none is)."""
    answers = sorted(predicted.entities, key=lambda entity: entity.start)
    starts = [answer.start for answer in answers]
    tagged = []
    for word in gold.entities_labelled(labels):
        place = bisect_right(starts, word.start) - 1
        covered = place >= 0 and answers[place].end > word.start
        tagged.append((word, answers[place].label if covered else OUTSIDE))
    return tagged


def _confusions(matrix: ConfusionMatrix) -> list[dict[str, str | int]]:
    wrong = matrix.counts * (1 - np.eye(len(matrix.labels), dtype=np.int64))
    order = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSIONS_SHOWN]
    rows, columns = np.unravel_index(order, wrong.shape)
    return [
        {"gold": matrix.labels[row], "predicted": matrix.labels[column], "count": int(count)}
        for row, column, count in zip(rows, columns, wrong[rows, columns], strict=True)
        if count
    ]
