"""The contracts between tasks, models and everything that uses them.

A task turns documents into examples, examples into windows of token ids, and model outputs
back into annotated documents. A predictor turns windows into outputs. Neither knows torch.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.core.settings import from_mapping, to_mapping

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]
Counts = npt.NDArray[np.float64]
"""(units, 3): right, gold and predicted answers in each unit, a sentence or a document."""
Outputs = Mapping[str, FloatArray]
"""Logits by head name: (labels,) for a `sequence`, `marked` or `cloze` head, (length, labels) for a
`token` head, (length, 2) for a `span` head, (length, pieces) for a `vocabulary` head; (size,) for a
`vector` head, (length, size) where it pools nothing; code points (n,) for a `text` head."""
Targets = Mapping[str, IntArray | FloatArray]
"""Gold by head name: (length, head.target_width) for a `token` or `vocabulary` head, (pieces, 1)
for a `text` head, else (head.target_width,)."""
InputName = Literal["token_ids", "mask", "segment_ids", "marks"]
"""What a network reads of a batch of windows."""

IGNORED = -100
"""Target of a position that neither learns nor scores (the convention of torch's losses)."""
ANCHOR, POSITIVE, NEGATIVE = 0, 1, 2
"""Second target of a `vector` head, the role of a row in its group, whose number is the first: a
question, the text that belongs to it, and one that only looks like it."""
UNFINISHED = "unfinished"
"""Beside the text of a `text` head: (1,) 1 where it was stopped before its end, else 0."""


@dataclass(frozen=True, slots=True)
class LabelGroup:
    """Labels that exclude one another: one softmax, one loss (`Disease`: O, B, I)."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WritingSettings:
    """How a text is written: the best of `beams` beginnings at every step.

    A text ends by itself, or at `maximum_pieces` word pieces. No stretch of `no_repeat` pieces
    comes twice (0: any may). `length_penalty` above 0 favours longer texts; `repetition_penalty`
    above 1 makes pieces that are there already less likely (Keskar et al. 2019, arXiv:1909.05858).
    """

    beams: int = 4
    maximum_pieces: int = 128
    minimum_pieces: int = 0
    no_repeat: int = 3
    length_penalty: float = 1.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        least, most = self.minimum_pieces, self.maximum_pieces
        if self.beams < 1 or self.no_repeat < 0 or not 0 <= least <= most or most < 1:
            raise BadInputError(
                f"writing with beams = {self.beams}, no_repeat = {self.no_repeat}, {least} to "
                f"{most} pieces: at least one beam, no_repeat 0 or more, minimum below maximum"
            )


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """The output layer that a task needs: `model/heads.py` builds it from this value.

    A `token` head answers at every token, a `sequence` head once: from the first token through the
    checkpoint's pooler, or from the mean of all tokens (`pooling`). A `marked` head answers once
    from the vectors of `marks` tokens side by side (`Window.marks`). Their logits are those of all
    groups, in order. A `span` head says at every token whether the answer begins there and whether
    it ends there. A `vocabulary` head says which word piece stands at a token; a `cloze` head asks
    that at a marked token alone, of the `pieces` (their numbers) that stand for each label. A
    `vector` head gives a vector for a row: that of the first token, the mean, or those of all; its
    loss at this `temperature` is `contrast_loss` of model/vectors.py. A `text` head writes a text,
    as `writing` says. Span, vocabulary, vector and text heads have no groups.

    `loss` is a softmax over each group, a sigmoid for every label alone (`binary`), or the square
    of the error of a number. `weights` multiply the loss of each label where it holds, none means
    all alike.
    `hidden_layers` stand between the vectors and the logits, each as wide as what it reads.
    """

    name: str
    kind: Literal["token", "sequence", "marked", "span", "vocabulary", "cloze", "vector", "text"]
    groups: tuple[LabelGroup, ...] = ()
    loss: Literal["cross-entropy", "binary", "squared-error"] = "cross-entropy"
    marks: int = 0
    hidden_layers: int = 0
    weights: tuple[float, ...] = ()
    pooling: Literal["first", "mean", "none"] = "first"
    temperature: float = 0.05
    writing: WritingSettings | None = None
    pieces: tuple[tuple[int, ...], ...] = ()

    @property
    def width(self) -> int:
        """How many logits a position (or a sequence) gets."""
        return 2 if self.kind == "span" else sum(len(group.labels) for group in self.groups)

    @property
    def target_width(self) -> int:
        """How many gold values a position (or a sequence) has."""
        if self.kind == "vector":
            return 2
        if self.kind in ("vocabulary", "text"):
            return 1
        by_logit = self.kind == "span" or self.loss != "cross-entropy"
        return self.width if by_logit else len(self.groups)

    @property
    def reads_pooler(self) -> bool:
        """Whether it answers from the first token, through the checkpoint's pooler."""
        return self.kind == "sequence" and self.pooling == "first"

    @property
    def is_by_token(self) -> bool:
        """Whether it answers at every token."""
        by_token = self.kind in ("token", "span", "vocabulary")
        return by_token or (self.kind == "vector" and self.pooling == "none")

    @property
    def slices(self) -> tuple[slice, ...]:
        """Where each group's logits stand."""
        ends = np.cumsum([len(group.labels) for group in self.groups]).tolist()
        starts = [0, *ends[:-1]]
        return tuple(slice(start, end) for start, end in zip(starts, ends, strict=True))


@dataclass(frozen=True, slots=True)
class Example:
    """One thing to answer: the stretch [start, end) of a document.

    `arguments` are what a question about things in the text asks for, each with its mentions.
    """

    document: Document
    start: int
    end: int
    arguments: tuple[tuple[Entity, ...], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One row for the encoder, special tokens included.

    `offsets` (length, 2): characters of the document behind each token, (-1, -1) for specials.
    `words` (length,): number of the word that each token belongs to, -1 for specials.
    `owned`: the tokens that learn and score here; the rest is context, owned by another window.
    `marks` (k,): the tokens whose vectors a `marked` or `cloze` head reads.
    `written` (n,): gold of a `text` head, with special tokens around it; empty if unknown.
    """

    token_ids: IntArray
    segment_ids: IntArray
    offsets: IntArray
    words: IntArray
    owned: slice
    marks: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    written: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.token_ids)


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1 (fractions, not per cent) over `support` gold items."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Scores:
    """What an evaluation found. `main` is the figure that selects checkpoints, higher is better.

    `details` holds JSON-ready extras: macro average, intervals, error tables. Numbers there are
    shares, shown in per cent, but for `amounts`: ranks, errors, counts.
    """

    main: float
    micro: Score
    by_label: Mapping[str, Score]
    details: Mapping[str, Any] = field(default_factory=dict)
    amounts: frozenset[str] = frozenset()


class TextTokenizer(Protocol):
    """What a task asks of a tokenizer; `text/tokenizer.py` is the one."""

    @property
    def known_ids(self) -> IntArray:
        """(n,) the ids that stand for a piece, in order."""
        ...

    def special(self, role: Literal["cls", "sep", "pad", "mask", "unk"]) -> int:
        """The id of a special token."""
        ...

    def pieces(self, texts: Sequence[str]) -> "list[Pieces]":
        """Word pieces of each text, without special tokens, never truncated."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Word pieces of one text: ids (n,), character offsets (n, 2), word numbers (n,)."""

    ids: IntArray
    offsets: IntArray
    words: IntArray


class Task(ABC):
    """A thing a model can learn. One file on the shelf `tasks/`, found by its name."""

    name: ClassVar[str]
    settings_type: ClassVar[type[Any]]
    """A frozen dataclass: what a recipe may say under `[task]`."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """The task from a recipe's or a model folder's `task` table."""
        return cls(from_mapping(cls.settings_type, settings, place="[task]"))

    def settings(self) -> dict[str, Any]:
        """JSON-ready settings from which `from_settings` makes an equal task."""
        return to_mapping(self._settings)

    def with_tokenizer(self, tokenizer: TextTokenizer) -> Self:
        """The task with what its heads must know of the tokenizer; those of most know nothing."""
        del tokenizer
        return self

    @abstractmethod
    def heads(self) -> tuple[HeadSpec, ...]:
        """The output layers the task needs."""

    def heads_of(self, example: Example) -> tuple[HeadSpec, ...]:
        """Those of the heads that answer an example."""
        del example
        return self.heads()

    def inputs(self) -> tuple[InputName, ...]:
        """What a network for this task reads; exported models take no more than this."""
        return ("token_ids", "mask")

    @property
    def passages(self) -> tuple[str, ...]:
        """The kinds of passages that it reads; none where it reads the text as it is."""
        return ()

    @abstractmethod
    def examples(self, document: Document) -> list[Example]:
        """What there is to answer in a document; together they cover all of its text."""

    @abstractmethod
    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """For each example its windows; nothing is cut away."""

    @abstractmethod
    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """Gold targets for each window, from the document's annotations."""

    def learnt_share(self, example: Example) -> float:
        """In what share of its epochs training learns from the example: as a rule in all of them.

        Epochs take turns, so that a share of 0.25 is learnt from in every fourth one.
        """
        del example
        return 1.0

    def unlearnt(self, documents: Sequence[Document]) -> list[str]:
        """What the documents say and no target can hold, in words for whoever trains."""
        del documents
        return []

    @abstractmethod
    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """The document with this task's annotations, from the outputs for all its windows."""

    def decode_many(
        self,
        documents: Sequence[Document],
        windows: Sequence[Sequence[tuple[Window, ...]]],
        outputs: Sequence[Sequence[Sequence[Outputs]]],
    ) -> list[Document]:
        """The same of many documents, with arithmetic over all of them where that pays."""
        parts = zip(documents, windows, outputs, strict=True)
        return [self.decode(*one) for one in parts]

    def corrected(self, output: Outputs) -> Outputs:
        """A window's logits without what training shifted in them, as `decode` reads them."""
        return output

    def decided(self, output: Outputs) -> Outputs:
        """A window's logits as a decision: what the task itself would answer, by its thresholds
        too, is the largest of its group, and above 0 where labels stand alone."""
        return self.corrected(output)

    @abstractmethod
    def measure(self) -> str:
        """What `Scores.main` is, in a few words for the head of a table."""

    @abstractmethod
    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """Compare predictions with gold, document by document in the same order."""

    def counts(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Counts | None:
        """What `Scores.main` is the micro F1 of, unit by unit; an answer may be right in part.

        None where it is the micro F1 of nothing: then whole documents are the units.
        """
        del gold, predicted
        return None

    def among(self, predicted: Sequence[Document]) -> Self:
        """The task as it scores some of these documents, where an answer is one of all of them."""
        del predicted
        return self

    def weighing(self) -> Self:
        """The task as it answers for `tuned`: with all that a threshold could leave out."""
        return self

    def tuned(self, gold: Sequence[Document], predicted: Iterable[Document]) -> Self:
        """The task with what is best chosen on devel after training, such as thresholds.

        `predicted` are answers of the task that `weighing` gives, made as they are asked for: a
        task that chooses nothing costs nothing.
        """
        del gold, predicted
        return self

    @classmethod
    @abstractmethod
    def toy_documents(cls) -> list[Document]:
        """A few small annotated documents, for conformance tests and docs."""


class Predictor(Protocol):
    """Windows in, outputs out, in the same order, whatever it runs on."""

    def predict(self, windows: Sequence[Window]) -> list[Outputs]:
        """One mapping of head name to logits for each window."""
        ...
