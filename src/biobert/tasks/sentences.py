"""Labels for the sentences of a text, each seen among the others: roles in an abstract.

Every word says the label of the sentence that it stands in; a sentence has the label that its words
agree on best, by the mean of their log-probabilities. Since a row of the encoder holds many
sentences, each is labelled in its context, which settles most of what a sentence alone leaves open
(Cohan et al. 2019, arXiv:1909.04054, who read one separator a sentence instead).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import ClassVar

import numpy as np

from biobert.core.document import Document, Entity, Passage, Span
from biobert.core.passages import HEADING
from biobert.core.probabilities import log_softmax
from biobert.core.task import (
    IGNORED,
    Counts,
    Example,
    HeadSpec,
    LabelGroup,
    Outputs,
    Scores,
    Targets,
    Task,
    TextTokenizer,
    Window,
)
from biobert.core.words import owned_words
from biobert.evaluation.spans import check_same_texts
from biobert.evaluation.words import score_words, word_counts
from biobert.tasks._candidates import merged
from biobert.tasks._labels import annotated_too, check_labels, labels_not_learnt
from biobert.tasks._windows import encode_stretches
from biobert.tasks._words import (
    Words,
    outermost,
    owners,
    word_targets,
    words_of,
)
from biobert.text.sentences import sentences_of
from biobert.text.windows import WindowSettings

HEAD = "sentences"
FIGURES = ("sentence_accuracy", "whole_sentence_accuracy")
"""The second asks for the borders of the sentence too."""


@dataclass(frozen=True, slots=True)
class SentencesSettings:
    """`labels` are those that a sentence may have. `passages` names the kinds of passage whose
    sentences are labelled, such as `abstract`; a document without passages is read whole."""

    labels: tuple[str, ...]
    passages: tuple[str, ...] = ()
    windows: WindowSettings = field(default_factory=lambda: WindowSettings(512, 64))

    def __post_init__(self) -> None:
        check_labels(self.labels)


class SentenceLabelling(Task):
    """Gives each sentence a label; it becomes an entity over the whole sentence."""

    name: ClassVar[str] = "sentences"
    settings_type: ClassVar[type] = SentencesSettings
    _settings: SentencesSettings

    def __init__(self, settings: SentencesSettings) -> None:
        self.labels = settings.labels
        super().__init__(settings)

    def heads(self) -> tuple[HeadSpec, ...]:
        """One token head over the labels."""
        return (HeadSpec(HEAD, "token", (LabelGroup("labels", self.labels),)),)

    def examples(self, document: Document) -> list[Example]:
        """The text, or each stretch of passages that is read; headings may stand in one.

        Passages inside one another are one stretch.
        """
        kinds = self._settings.passages
        if not kinds or not document.passages:
            return [Example(document, 0, len(document.text))] if document.text.strip() else []
        in_order = sorted(_with_text(document), key=lambda one: one.start)
        found = []
        for is_read, some in groupby(in_order, key=lambda one: one.kind in (*kinds, HEADING)):
            own = [one for one in some if is_read and one.kind in kinds]
            if own:
                found.append(Span(own[0].start, max(one.end for one in own)))
        return [Example(document, one.start, one.end) for one in merged(found)]

    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """One window for a stretch, several for one that is too long."""
        return encode_stretches(examples, tokenizer, self._settings.windows)

    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """At first pieces of owned words the label of their sentence; ignored where it has none."""
        words = owned_words(windows)
        gold = outermost(example.document.entities_labelled(self.labels))
        numbers = np.array([self.labels.index(one.label) for one in gold] or [0])
        owner, inside = owners(words.starts, words.ends, gold)
        return word_targets(windows, words, np.where(inside, numbers[owner], IGNORED), HEAD)

    def unlearnt(self, documents: Sequence[Document]) -> list[str]:
        """Sentences whose label is none of the task's, or that lie inside others."""
        return labels_not_learnt(documents, self.labels, "sentences")

    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """The document with its sentences; a score is the probability of the label."""
        words = words_of(windows, outputs, HEAD)
        if not len(words.starts):
            return document.with_entities(())
        return document.with_entities(self._entities(self._sentences(document), words))

    def measure(self) -> str:
        """Of all gold sentences."""
        return "sentence accuracy"

    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """Accuracy over gold sentences, and strict scores of sentences by label.

        What is said of sentences that have no gold label is neither right nor wrong.
        """
        check_same_texts(gold, predicted)
        asked = [_asked(one, other) for one, other in zip(gold, predicted, strict=True)]
        return score_words(gold, asked, annotated_too(gold, self.labels), FIGURES)

    def counts(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Counts:
        """Sentences that have their label, and all of them."""
        return word_counts(gold, predicted, annotated_too(gold, self.labels))

    @classmethod
    def toy_documents(cls) -> list[Document]:
        """Two short abstracts."""
        return [
            _toy("toy-1", ("We gave lithium.", "METHODS"), ("The heart stood still.", "RESULTS")),
            _toy("toy-2", ("All patients were well.", "RESULTS")),
        ]

    def _sentences(self, document: Document) -> Sequence[Span]:
        """The sentences that are labelled: those that begin in a passage that is read."""
        kinds = self._settings.passages
        sentences = sentences_of(document)
        if not kinds or not document.passages:
            return sentences
        read = [one for one in _with_text(document) if one.kind in kinds]
        return [one for one in sentences if any(p.start <= one.start < p.end for p in read)]

    def _entities(self, sentences: Sequence[Span], words: Words) -> Iterator[Entity]:
        log_probabilities = log_softmax(words.logits)
        firsts = np.searchsorted(words.starts, [one.start for one in sentences])
        afters = np.searchsorted(words.starts, [one.end for one in sentences])
        for sentence, first, after in zip(sentences, firsts, afters, strict=True):
            if first == after:
                continue  # made of characters that the tokenizer drops
            joint = log_softmax(log_probabilities[first:after].mean(axis=0))
            best = int(joint.argmax())
            score = min(1.0, float(np.exp(joint[best])))
            yield Entity(sentence.start, sentence.end, self.labels[best], score=score)


TASK = SentenceLabelling


def _asked(gold: Document, predicted: Document) -> Document:
    """The answers about sentences that have a gold label."""
    return predicted.with_entities(
        one
        for one in predicted.entities
        if any(one.start < other.end and one.end > other.start for other in gold.entities)
    )


def _with_text(document: Document) -> list[Passage]:
    return [one for one in document.passages if one.end > one.start]


def _toy(identifier: str, *sentences: tuple[str, str]) -> Document:
    """An abstract from its sentences with their labels."""
    text = " ".join(sentence for sentence, _ in sentences)
    entities = [
        Entity(text.index(sentence), text.index(sentence) + len(sentence), label)
        for sentence, label in sentences
    ]
    return Document(
        identifier,
        text,
        entities=tuple(entities),
        sentences=tuple(Span(one.start, one.end) for one in entities),
        annotated_labels=("METHODS", "RESULTS"),
    )
