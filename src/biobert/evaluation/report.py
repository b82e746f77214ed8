"""The report of an evaluation, for people and for programs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from biobert.core.document import Document
from biobert.core.task import Counts, Score, Scores
from biobert.evaluation.errors import ErrorTable, error_table
from biobert.evaluation.labels import (
    ConfusionMatrix,
    classification_report,
    confusion_matrix,
    word_tags,
)
from biobert.evaluation.overlap import NOTHING_LEARNT, Shared, Training, Unit, without_shared
from biobert.evaluation.significance import (
    Interval,
    bootstrap_documents,
    bootstrap_interval,
)
from biobert.evaluation.spans import annotated_alone
from biobert.evaluation.words import tag_confusion
from biobert.text.sentences import sentences_of

BOOTSTRAP_SEED = 20190901
Measure = Callable[[Sequence[Document], Sequence[Document]], Scores]
"""A task's own comparison of gold and predicted documents."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What was evaluated on what, and how long it took; `training` is what the model has learnt
    from, as far as it is at hand. `set_aside` counts the records that could not be read,
    `not_scored` the mentions of each type that the model does not know."""

    model: str
    task: str
    corpus: str
    split: str
    labels: tuple[str, ...]
    seconds: float
    training: Training = NOTHING_LEARNT
    set_aside: int = 0
    not_scored: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is said of a model on a corpus.

    `scores` are the task's own, strict and by whole entities where it finds entities. `interval`
    is that of the main score, over `interval_unit`. `shared` is what of the corpus stands in the
    training data too, and the score without it, None where none of the training data is at hand.
    Where entities are found, `token_level` is the report over IOB2 tags of words, for comparison
    with others' figures; where words are tagged, that over their tags.
    """

    setting: Setting
    scores: Scores
    interval: Interval
    documents: int
    sentences: int
    shared: Shared | None = None
    token_level: dict[str, Score] = field(default_factory=dict)
    errors: ErrorTable | None = None
    confusion: ConfusionMatrix | None = None
    interval_unit: Unit = "documents"

    @property
    def sentences_per_second(self) -> float:
        """Sentences of the corpus annotated in a second, from text to answers."""
        seconds = self.setting.seconds
        return self.sentences / seconds if seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values; `scores.micro.f1` and its like are fractions."""
        setting = self.setting
        return {
            "model": setting.model,
            "task": setting.task,
            "corpus": setting.corpus,
            "split": setting.split,
            "labels": list(setting.labels),
            "scores": {
                "main": self.scores.main,
                "micro": asdict(self.scores.micro),
                "by_label": {name: asdict(one) for name, one in self.scores.by_label.items()},
                **self.scores.details,
            },
            "interval": asdict(self.interval),
            "shared_with_train": None if self.shared is None else asdict(self.shared),
            "token_level": {name: asdict(one) for name, one in self.token_level.items()},
            "errors": None if self.errors is None else asdict(self.errors),
            "documents": self.documents,
            "sentences": self.sentences,
            "set_aside": setting.set_aside,
            "not_scored": dict(setting.not_scored),
            "seconds": setting.seconds,
            "sentences_per_second": self.sentences_per_second,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Gold documents beside predicted ones, and a task's own measure of them.

    `counts` are what the main score is the micro F1 of, unit by unit; None where there are none.
    """

    gold: Sequence[Document]
    predicted: Sequence[Document]
    setting: Setting
    measure: Measure
    counts: Counts | None = None

    def entity_report(self) -> Report:
        """What is to be said of entities."""
        scores = self._scores()
        labels = tuple(scores.by_label)
        gold, predicted = annotated_alone(self.gold, self.predicted)
        confusion = _iob2_confusion(gold, predicted, labels)
        errors = error_table(gold, predicted, labels, seen=_mentions(self.setting))
        return replace(self._by_sentences(scores, confusion), errors=errors)

    def word_report(self) -> Report:
        """What is to be said of the tags of words: nothing of mentions, which words are not."""
        scores = self._scores()
        confusion = tag_confusion(self.gold, self.predicted, tuple(scores.by_label))
        return self._by_sentences(scores, confusion)

    def label_report(self) -> Report:
        """What is to be said of labels of documents."""
        confusion = _label_confusion(self.gold, self.predicted)
        return replace(self.document_report(), confusion=confusion)

    def document_report(self, unit: Unit = "documents") -> Report:
        """What is to be said of answers that are neither entities nor labels: relations, answers to
        questions; `unit` is what is compared with the training data.

        Labels are gold ones that such a task leaves alone: nothing is confused with them.
        """
        return Report(
            setting=self.setting,
            scores=self._scores(),
            interval=self._interval(),
            documents=len(self.gold),
            sentences=_sentences(self.gold),
            shared=self._shared(unit),
        )

    def _by_sentences(self, scores: Scores, confusion: ConfusionMatrix) -> Report:
        """What mentions and tags of words have in common: both are counted sentence by sentence."""
        return Report(
            setting=self.setting,
            scores=scores,
            interval=self._interval(),
            documents=len(self.gold),
            sentences=_sentences(self.gold),
            shared=self._shared("sentences"),
            token_level=classification_report(confusion),
            confusion=confusion,
            interval_unit="sentences",
        )

    def _scores(self) -> Scores:
        return self.measure(self.gold, self.predicted)

    def _interval(self) -> Interval:
        generator = np.random.default_rng(BOOTSTRAP_SEED)
        if self.counts is None:
            return bootstrap_documents(self.gold, self.predicted, self.measure, generator)
        return bootstrap_interval(self.counts, generator)

    def _shared(self, unit: Unit) -> Shared | None:
        training = self.setting.training
        if not training.sources:
            return None
        return without_shared(self.gold, self.predicted, training, measure=self.measure, unit=unit)


def _sentences(documents: Sequence[Document]) -> int:
    return sum(len(sentences_of(document)) for document in documents)


def _mentions(setting: Setting) -> set[str] | None:
    if not setting.training.sources:
        return None
    return {one.mention(entity) for one in setting.training.documents for entity in one.entities}


def _iob2_confusion(
    gold: Sequence[Document], predicted: Sequence[Document], labels: Sequence[str]
) -> ConfusionMatrix:
    wanted, found = (
        [tag for one in documents for tag in word_tags(one, labels)]
        for documents in (gold, predicted)
    )
    return confusion_matrix(wanted, found)


def _label_confusion(
    gold: Sequence[Document], predicted: Sequence[Document]
) -> ConfusionMatrix | None:
    """Of single labels; None where documents have several, or none."""
    if any(len(one.labels) != 1 for one in (*gold, *predicted)):
        return None
    return confusion_matrix([one.labels[0] for one in gold], [one.labels[0] for one in predicted])
