"""Classification: labels for a document, for one of its passages, or for a pair of them.

One task serves what differs in nothing but its text: topics of an abstract, the role of a
sentence, yes/no/maybe to a question beside its context, inference from a premise to a hypothesis.
The recipe says which passages are read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

import numpy as np

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.passages import passage_of
from biobert.core.probabilities import joined, sigmoid, softmax
from biobert.core.settings import refuse_unread
from biobert.core.task import (
    Counts,
    Example,
    HeadSpec,
    InputName,
    LabelGroup,
    Outputs,
    Scores,
    Targets,
    Task,
    TextTokenizer,
    Window,
)
from biobert.evaluation.significance import answer_counts
from biobert.evaluation.spans import check_same_texts
from biobert.tasks._labels import (
    check_labels,
    known_labels,
    score_documents,
    toy_questions,
    with_likeliest,
)
from biobert.tasks._pairs import encode_pairs, passage_pair
from biobert.tasks._thresholds import THRESHOLD, best_thresholds
from biobert.tasks._windows import encode_stretches
from biobert.text.windows import WindowSettings

HEAD = "labels"


@dataclass(frozen=True, slots=True)
class ClassificationSettings:
    """What the labels are and which text decides on them.

    `choice` is one label of all, or any number of them; `thresholds` are then the probabilities
    from which a label is given (0.5 where nothing else was chosen on devel). `passages` names one
    kind of passage or two, a pair; none means the whole text. `weights` multiply the loss of a
    label where it holds. `measure` chooses checkpoints: micro F1 (of single labels: accuracy) or
    macro F1. `pooling` is what the labels are read from: the first token, as in BERT, or the mean
    of all, which suits checkpoints of sentence-transformers.
    """

    labels: tuple[str, ...]
    choice: Literal["one", "many"] = "one"
    passages: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    measure: Literal["micro", "macro"] = "micro"
    pooling: Literal["first", "mean"] = "first"
    hidden_layers: int = 0
    windows: WindowSettings = field(default_factory=lambda: WindowSettings(512, 64))

    def __post_init__(self) -> None:
        check_labels(self.labels)
        if len(self.passages) > 2:
            raise BadInputError(f"[task] passages = {list(self.passages)}: one or two kinds")
        for name, values in (("thresholds", self.thresholds), ("weights", self.weights)):
            for label in values.keys() - set(self.labels):
                raise BadInputError(f"[task] {name}: {label!r} is none of {list(self.labels)}")
        for label, weight in self.weights.items():
            if not 0.0 <= weight < np.inf:
                raise BadInputError(f"[task] weights: {label} = {weight}: not below 0")
        for label, threshold in self.thresholds.items():
            if not 0.0 <= threshold <= 1.0:
                raise BadInputError(f"[task] thresholds: {label} = {threshold}: from 0 to 1")
        if self.choice == "one":
            place, reader = "[task] choice = 'one',", "choice = 'many'"
            refuse_unread(self, ["thresholds"], place=place, reader=reader)


class Classification(Task):
    """Gives a document its labels."""

    name: ClassVar[str] = "classification"
    settings_type: ClassVar[type] = ClassificationSettings
    _settings: ClassificationSettings

    def __init__(self, settings: ClassificationSettings) -> None:
        super().__init__(settings)
        self.labels = settings.labels

    def heads(self) -> tuple[HeadSpec, ...]:
        """One sequence head over all labels."""
        settings = self._settings
        weights = tuple(settings.weights.get(label, 1.0) for label in settings.labels)
        return (
            HeadSpec(
                HEAD,
                "sequence",
                (LabelGroup(HEAD, settings.labels),),
                loss="cross-entropy" if settings.choice == "one" else "binary",
                pooling=settings.pooling,
                hidden_layers=settings.hidden_layers,
                weights=weights if settings.weights else (),
            ),
        )

    def inputs(self) -> tuple[InputName, ...]:
        """Segment ids too where a pair is read."""
        if len(self._settings.passages) < 2:
            return ("token_ids", "mask")
        return ("token_ids", "mask", "segment_ids")

    @property
    def passages(self) -> tuple[str, ...]:
        """One kind or two, a pair; none where it reads the whole text."""
        return self._settings.passages

    def examples(self, document: Document) -> list[Example]:
        """The document, once; nothing where there is no text."""
        if not document.text.strip():
            return []
        start, end = 0, len(document.text)
        if len(self._settings.passages) == 1:
            span = passage_of(document, self._settings.passages[0])
            start, end = span.start, span.end
        return [Example(document, start, end)]

    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """One window for a text or a pair, several for one that is too long."""
        settings = self._settings
        if len(settings.passages) < 2:
            return encode_stretches(examples, tokenizer, settings.windows)
        first, second = settings.passages
        pairs = [passage_pair(one.document, first, second) for one in examples]
        return encode_pairs(pairs, tokenizer, settings.windows)

    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """The document's labels, for each window alike."""
        own = self._known_labels(example.document)
        if self._settings.choice == "one":
            target = np.array([self.labels.index(own[0])], dtype=np.int64)
        else:
            target = np.array([label in own for label in self.labels], dtype=np.int64)
        return [{HEAD: target} for _ in windows]

    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """The document with its labels and the probability of each."""
        del windows
        if not outputs:
            return replace(document, labels=(), label_scores={})
        logits = np.stack([output[HEAD] for output in outputs[0]])
        if self._settings.choice == "one":
            return with_likeliest(document, self.labels, softmax(joined(logits, "cross-entropy")))
        likely = sigmoid(joined(logits, "binary"))
        scores = dict(zip(self.labels, likely.tolist(), strict=True))
        chosen = [one for one in self.labels if scores[one] >= self._threshold(one)]
        return replace(document, labels=tuple(chosen), label_scores=scores)

    def decided(self, output: Outputs) -> Outputs:
        """Where several labels may hold: above 0 from the label's own threshold on."""
        if self._settings.choice == "one":
            return output
        thresholds = np.array([self._threshold(label) for label in self.labels])
        return {HEAD: np.where(sigmoid(output[HEAD]) >= thresholds, 1.0, -1.0)}

    def measure(self) -> str:
        """As the settings choose it."""
        if self._settings.measure == "macro":
            return "macro F1"
        return "accuracy" if self._settings.choice == "one" else "micro F1"

    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """Precision, recall and F1 of each label; accuracy of whole answers."""
        check_same_texts(gold, predicted)
        wanted = [self._known_labels(one) for one in gold]
        choice = self._settings.choice
        measure: Literal["accuracy", "micro", "macro"] = self._settings.measure
        if choice == "one" and measure == "micro":
            measure = "accuracy"
        return score_documents(wanted, predicted, self.labels, choice=choice, measure=measure)

    def counts(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Counts | None:
        """Labels of every document; of single ones whole answers, for the accuracy; none for a
        macro F1."""
        if self._settings.measure == "macro":
            return None
        check_same_texts(gold, predicted)
        wanted = [frozenset(self._known_labels(one)) for one in gold]
        found = [frozenset(one.labels) for one in predicted]
        if self._settings.choice == "many":
            return answer_counts(wanted, found)
        return answer_counts(
            [frozenset({one}) for one in wanted], [frozenset({one}) for one in found]
        )

    def tuned(self, gold: Sequence[Document], predicted: Iterable[Document]) -> Self:
        """Where several labels may hold: with thresholds that give the best F1."""
        if self._settings.choice == "one":
            return self
        wanted = [frozenset(self._known_labels(one)) for one in gold]
        answers = list(predicted)
        if not answers:
            return self
        scores = [[one.label_scores.get(label, 0.0) for label in self.labels] for one in answers]
        holds = [[label in one for label in self.labels] for one in wanted]
        chosen = best_thresholds(np.array(scores), np.array(holds))
        thresholds = dict(zip(self.labels, chosen.tolist(), strict=True))
        return type(self)(replace(self._settings, thresholds=thresholds))

    @classmethod
    def toy_documents(cls) -> list[Document]:
        """Questions with their contexts, and what follows."""
        return toy_questions()

    def _known_labels(self, document: Document) -> tuple[str, ...]:
        labels = known_labels(document, self.labels)
        if self._settings.choice == "one" and len(document.labels) != 1:
            raise BadInputError(
                f"document {document.id!r} has {len(document.labels)} labels "
                f"({', '.join(document.labels)}), and the task gives one: set choice = 'many', or "
                "take documents of one kind by `where`"
            )
        return labels

    def _threshold(self, label: str) -> float:
        return self._settings.thresholds.get(label, THRESHOLD)


TASK = Classification
