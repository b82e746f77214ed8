"""Classification as a gap to be filled, for a handful of examples: patterns and verbalisers.

A pattern puts the passages of a document into a text with one `[MASK]`, and each label has words
that may stand there. No new layer is learnt: the checkpoint's own masked language model answers.
With s(w) its logit for a word w at the mask, the score of a label is log(sum of exp s(w)) over its
words, and a softmax over the labels' scores gives their probabilities; the loss is its
cross-entropy. With one word each that is Schick and Schütze 2021 (PET, arXiv:2001.07676, section
3.1) and Gao et al. 2021 (LM-BFF, arXiv:2012.15723, equation 1), without PET's second loss and its
joining of several patterns.

Several words of a label add up as probabilities do: the label holds where any of them stands. A
mean of their logits would punish a label for a word that the model never uses there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

import numpy as np

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.probabilities import joined, softmax
from biobert.core.task import (
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
from biobert.evaluation.spans import check_same_texts
from biobert.tasks._labels import (
    check_labels,
    known_labels,
    score_documents,
    toy_questions,
    with_likeliest,
)
from biobert.tasks._patterns import WHOLE_TEXT, encode_pattern, read_pattern
from biobert.text.windows import WindowSettings

HEAD = "labels"


@dataclass(frozen=True, slots=True)
class ClozeSettings:
    """The labels, the text with a gap that asks for them, and the words that say them there.

    `pattern` has `[MASK]` once, fields in braces for the passages of these kinds (`{text}` is all
    of the text), and words of its own. `verbalisers` gives each label one word or more, each a
    single piece of the vocabulary; `pieces` are their numbers, which training writes. `measure`
    chooses checkpoints: accuracy (`micro`) or macro F1.
    """

    labels: tuple[str, ...]
    pattern: str
    verbalisers: Mapping[str, Sequence[str]]
    measure: Literal["micro", "macro"] = "micro"
    windows: WindowSettings = field(default_factory=lambda: WindowSettings(512, 64))
    pieces: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_labels(self.labels)
        read_pattern(self.pattern)
        for label in self.verbalisers.keys() ^ set(self.labels):
            raise BadInputError(
                f"[task] verbalisers: {label!r} "
                + ("is none of task.labels" if label in self.verbalisers else "has no words")
            )
        for label, words in self.verbalisers.items():
            if isinstance(words, str) or not words or not all(isinstance(w, str) for w in words):
                raise BadInputError(
                    f"[task] verbalisers: {label!r} = {words!r}: write a list of words"
                )


class Cloze(Task):
    """Gives a document the label whose words fill a gap best."""

    name: ClassVar[str] = "cloze"
    settings_type: ClassVar[type] = ClozeSettings
    _settings: ClozeSettings

    def __init__(self, settings: ClozeSettings) -> None:
        super().__init__(settings)
        self.labels = settings.labels
        self._pattern = read_pattern(settings.pattern)

    @property
    def passages(self) -> tuple[str, ...]:
        """The kinds of passages that it reads, in order; none where it reads the whole text."""
        return tuple(one for one in self._pattern.fields if one != WHOLE_TEXT)

    def with_tokenizer(self, tokenizer: TextTokenizer) -> Self:
        """The task with the numbers of its words; an error where a word is not one piece."""
        taken: dict[int, str] = {}
        pieces: dict[str, list[int]] = {}
        for label in self.labels:
            pieces[label] = []
            for word in self._settings.verbalisers[label]:
                piece = _only_piece(word, label, tokenizer)
                if piece in taken:
                    raise BadInputError(
                        f"[task] verbalisers: {taken[piece]!r} and {word!r} are the same piece of "
                        "this vocabulary; use each once, for one label"
                    )
                taken[piece] = word
                pieces[label].append(piece)
        return type(self)(replace(self._settings, pieces=pieces))

    def heads(self) -> tuple[HeadSpec, ...]:
        """One cloze head over all labels."""
        known = self._settings.pieces
        pieces = tuple(tuple(known[label]) for label in self.labels) if known else ()
        group = LabelGroup(HEAD, self.labels)
        return (HeadSpec(HEAD, "cloze", (group,), marks=1, pieces=pieces),)

    def inputs(self) -> tuple[InputName, ...]:
        """The place of the mask too; a pattern is one text, so no segments."""
        return ("token_ids", "mask", "marks")

    def examples(self, document: Document) -> list[Example]:
        """The document, once; nothing where there is no text."""
        if not document.text.strip():
            return []
        return [Example(document, 0, len(document.text))]

    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """The filled pattern, in several windows where a passage is too long for one."""
        documents = [example.document for example in examples]
        return encode_pattern(self._pattern, documents, tokenizer, self._settings.windows)

    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """The document's label, for each window alike."""
        (label,) = self._gold(example.document)
        target = np.array([self.labels.index(label)], dtype=np.int64)
        return [{HEAD: target} for _ in windows]

    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """The document with its label and the probability of each."""
        del windows
        if not outputs:
            return replace(document, labels=(), label_scores={})
        logits = np.stack([output[HEAD] for output in outputs[0]])
        return with_likeliest(document, self.labels, softmax(joined(logits, "cross-entropy")))

    def measure(self) -> str:
        """As the settings choose it."""
        return "macro F1" if self._settings.measure == "macro" else "accuracy"

    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """Precision, recall and F1 of each label; accuracy of whole answers."""
        check_same_texts(gold, predicted)
        wanted = [self._gold(one) for one in gold]
        measure: Literal["accuracy", "macro"] = (
            "macro" if self._settings.measure == "macro" else "accuracy"
        )
        return score_documents(wanted, predicted, self.labels, choice="one", measure=measure)

    @classmethod
    def toy_documents(cls) -> list[Document]:
        """Questions with their contexts, and what follows."""
        return toy_questions()

    def _gold(self, document: Document) -> tuple[str, ...]:
        labels = known_labels(document, self.labels)
        if len(labels) != 1:
            raise BadInputError(
                f"document {document.id!r} has {len(labels)} labels ({', '.join(labels)}), and a "
                "cloze gives one; the task 'classification' gives several"
            )
        return labels


TASK = Cloze


def _only_piece(word: str, label: str, tokenizer: TextTokenizer) -> int:
    """The number of the one piece that a word is."""
    (found,) = tokenizer.pieces([word])
    ids: list[int] = found.ids.tolist()
    if len(ids) == 1 and ids[0] != tokenizer.special("unk"):
        return ids[0]
    problem = "is unknown to this vocabulary"
    if len(ids) != 1:
        parts = " + ".join(repr(word[start:end]) for start, end in found.offsets.tolist())
        problem = f"is {len(ids)} pieces ({parts})"
    raise BadInputError(
        f"[task] verbalisers: {word!r} of {label!r} {problem}, and the mask holds one; choose a "
        "commoner word, or an encoder that has this one whole"
    )
