"""Part-of-speech tagging: the words of a text, and the tag of each.

A treebank's words (`IL-2`, `CD28-mediated`) are longer than the pre-tokenizer's, which parts at
punctuation. One softmax answers both questions: the first of the pre-tokenizer's words in a
treebank word carries the tag, those that go on with it carry `+`, an answer that is not open after
white space. BERT reads `cells .` and `cells.` alike, so borders that are learnt from a treebank,
whose words stand apart, are found in raw text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.core.probabilities import log_softmax
from biobert.core.task import (
    IGNORED,
    Counts,
    Example,
    HeadSpec,
    IntArray,
    LabelGroup,
    Outputs,
    Scores,
    Targets,
    Task,
    TextTokenizer,
    Window,
)
from biobert.core.words import owned_words
from biobert.evaluation.words import score_words, word_counts
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

HEAD = "tags"
CONTINUES = "+"
CHUNK = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class PosSettings:
    """`labels` are the tags, in head order; `+` is kept for what goes on with a word."""

    labels: tuple[str, ...]
    windows: WindowSettings = field(default_factory=WindowSettings)

    def __post_init__(self) -> None:
        check_labels(self.labels)
        if CONTINUES in self.labels:
            raise BadInputError(
                f"[task] labels: tag {CONTINUES!r} marks what goes on with a word; "
                "rename it in [[data.train]]"
            )


class PartOfSpeechTagging(Task):
    """Finds words and their parts of speech; each word is an entity labelled with its tag."""

    name: ClassVar[str] = "pos"
    settings_type: ClassVar[type] = PosSettings
    _settings: PosSettings

    def __init__(self, settings: PosSettings) -> None:
        self.labels = settings.labels
        super().__init__(settings)
        # Tag number t has the logit t, `+` the last.
        self._head = HeadSpec(HEAD, "token", (LabelGroup("tags", (*self.labels, CONTINUES)),))

    def heads(self) -> tuple[HeadSpec, ...]:
        """One token head over the tags and `+`."""
        return (self._head,)

    def examples(self, document: Document) -> list[Example]:
        """The sentences: the document's own, or split here."""
        return [Example(document, one.start, one.end) for one in sentences_of(document)]

    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """One window for a sentence, several for one that is too long."""
        return encode_stretches(examples, tokenizer, self._settings.windows)

    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """Tags at first pieces of owned words; words without a known tag are ignored."""
        words = owned_words(windows)
        tags = self._tags(example, words.starts, words.ends)
        return word_targets(windows, words, tags, HEAD)

    def unlearnt(self, documents: Sequence[Document]) -> list[str]:
        """Words whose tag is none of the task's, or that lie inside others."""
        return labels_not_learnt(documents, self.labels, "words")

    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """The document with its words; each score is the probability of the word's tags."""
        words = _in_order(words_of(windows, outputs, HEAD))
        if not len(words.starts):
            return document.with_entities(())
        return document.with_entities(self._entities(document.text, words))

    def measure(self) -> str:
        """Of all gold words."""
        return "tag accuracy"

    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """Tag accuracy over gold words, and strict scores of words by tag."""
        return score_words(gold, predicted, annotated_too(gold, self.labels))

    def counts(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Counts:
        """Words of each sentence that have their tag, and all of its words."""
        return word_counts(gold, predicted, annotated_too(gold, self.labels))

    @classmethod
    def toy_documents(cls) -> list[Document]:
        """A sentence of raw text, and one whose words stand apart."""
        return [
            _toy(
                "toy-1",
                "IL-2 (a cytokine) activates CD28-positive cells.",
                "IL-2/NN (/( a/DT cytokine/NN )/) activates/VBZ CD28-positive/JJ cells/NNS ./.",
            ),
            _toy("toy-2", "The IL-2 gene activates", "The/DT IL-2/NN gene/NN activates/VBZ"),
        ]

    def _tags(self, example: Example, starts: IntArray, ends: IntArray) -> IntArray:
        """The target of each word of an example, from the gold words."""
        gold = self._gold(example)
        if not gold:
            return np.full(len(starts), IGNORED, dtype=np.int64)
        numbers = np.array([self.labels.index(word.label) for word in gold])
        owner, inside = owners(starts, ends, gold)
        goes_on = inside & np.append(False, inside[:-1] & (owner[1:] == owner[:-1]))
        tags: IntArray = np.where(inside, numbers[owner], IGNORED)
        tags[goes_on] = len(self.labels)
        return tags

    def _gold(self, example: Example) -> list[Entity]:
        near = (
            entity
            for entity in example.document.entities
            if entity.start < example.end and entity.end > example.start
        )
        return outermost(entity for entity in near if entity.label in self.labels)

    def _entities(self, text: str, words: Words) -> Iterator[Entity]:
        """Every stretch between white space, parted where the model sees a new word begin."""
        chunks = np.array([match.span() for match in CHUNK.finditer(text)])
        chunk = np.searchsorted(chunks[:, 0], words.starts, side="right") - 1
        leads = np.append(True, chunk[1:] != chunk[:-1])
        logits = words.logits.copy()
        logits[leads | words.first, -1] = -np.inf
        log_probabilities = log_softmax(logits)
        tags = log_probabilities.argmax(axis=1)
        parts = words.starts[(tags < len(self.labels)) & ~leads]
        starts = np.union1d(chunks[:, 0], parts)
        own_chunk = np.searchsorted(chunks[:, 0], starts, side="right") - 1
        ends = np.minimum(np.append(starts[1:], len(text)), chunks[own_chunk, 1])
        # A chunk begins with characters that the tokenizer drops now and then: its first word is
        # the first that ends in it. One that is made of such characters has none, and no tag.
        first = np.searchsorted(words.ends, starts, side="right")
        after = np.searchsorted(words.starts, ends, side="left")
        totals = np.append(0.0, np.cumsum(log_probabilities.max(axis=1), dtype=np.float64))
        for number in np.flatnonzero(first < after):
            begin, stop = first[number], after[number]
            label = self.labels[log_probabilities[begin, :-1].argmax()]
            score = min(1.0, float(np.exp(totals[stop] - totals[begin])))
            yield Entity(int(starts[number]), int(ends[number]), label, score=score)


TASK = PartOfSpeechTagging


def _in_order(words: Words) -> Words:
    """The words by their place in the text."""
    order = np.argsort(words.starts, kind="stable")
    return Words(words.starts[order], words.ends[order], words.examples[order], words.logits[order])


def _toy(identifier: str, text: str, tagged: str) -> Document:
    """A document from its text and its `word/tag` pairs."""
    entities, position = [], 0
    for pair in tagged.split():
        word, _, tag = pair.rpartition("/")
        start = text.index(word, position)
        position = start + len(word)
        entities.append(Entity(start, position, tag))
    labels = sorted({entity.label for entity in entities})
    return Document(identifier, text, entities=tuple(entities), annotated_labels=tuple(labels))
