"""The report of an evaluation, for people and for programs."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from biobert.core.document import Document
from biobert.core.task import Score, Scores
from biobert.evaluation.errors import ErrorTable, error_table
from biobert.evaluation.labels import (
    ConfusionMatrix,
    classification_report,
    confusion_matrix,
    word_tags,
)
from biobert.evaluation.significance import Interval, bootstrap_interval, sentence_counts
from biobert.text.sentences import sentences_of

BOOTSTRAP_SEED = 20190901


@dataclass(frozen=True, slots=True)
class EntityReport:
    """Everything that is said of a model on a corpus. Scores are strict and entity-level;
    `token_level` is the report over IOB2 tags of words, for comparison with others' figures."""

    model: str
    corpus: str
    split: str
    labels: tuple[str, ...]
    scores: Scores
    interval: Interval
    token_level: dict[str, Score]
    errors: ErrorTable
    confusion: ConfusionMatrix
    documents: int
    sentences: int
    seconds: float

    @property
    def sentences_per_second(self) -> float:
        """Sentences of the corpus annotated in a second, from text to entities."""
        return self.sentences / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values; `scores.micro.f1` and its like are fractions."""
        return {
            "model": self.model,
            "corpus": self.corpus,
            "split": self.split,
            "labels": list(self.labels),
            "scores": {
                "micro": asdict(self.scores.micro),
                "by_label": {name: asdict(one) for name, one in self.scores.by_label.items()},
                **self.scores.details,
            },
            "interval": asdict(self.interval),
            "token_level": {name: asdict(one) for name, one in self.token_level.items()},
            "errors": asdict(self.errors),
            "documents": self.documents,
            "sentences": self.sentences,
            "seconds": self.seconds,
            "sentences_per_second": self.sentences_per_second,
        }


@dataclass(frozen=True, slots=True)
class Setting:
    """What was evaluated on what, and how long annotation took."""

    model: str
    corpus: str
    split: str
    labels: tuple[str, ...]
    seconds: float
    seen_mentions: Iterable[str] | None = None


def entity_report(
    gold: Sequence[Document], predicted: Sequence[Document], setting: Setting, *, scores: Scores
) -> EntityReport:
    """What is to be said of predicted documents beside gold ones; `scores` are their task's."""
    labels = setting.labels
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    confusion = _tag_confusion(gold, predicted, labels)
    return EntityReport(
        model=setting.model,
        corpus=setting.corpus,
        split=setting.split,
        labels=labels,
        scores=scores,
        interval=bootstrap_interval(sentence_counts(gold, predicted, labels), generator),
        token_level=classification_report(confusion),
        errors=error_table(gold, predicted, labels, seen=setting.seen_mentions),
        confusion=confusion,
        documents=len(gold),
        sentences=sum(len(sentences_of(document)) for document in gold),
        seconds=setting.seconds,
    )


def _tag_confusion(
    gold: Sequence[Document], predicted: Sequence[Document], labels: Sequence[str]
) -> ConfusionMatrix:
    wanted: list[str] = []
    found: list[str] = []
    for label in labels:
        for one, other in zip(gold, predicted, strict=True):
            wanted += word_tags(one, label)
            found += word_tags(other, label)
    return confusion_matrix(wanted, found)
