"""Similarity of two sentences: a number that annotators gave, learnt and predicted."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.passages import pair_document
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
from biobert.evaluation.numbers import score_numbers
from biobert.evaluation.spans import check_same_texts
from biobert.tasks._pairs import encode_pairs, passage_pair
from biobert.text.windows import WindowSettings

HEAD = "similarity"
SIMILARITY = "similarity"
"""The key of a document's metadata that holds the number."""


@dataclass(frozen=True, slots=True)
class SimilaritySettings:
    """The scale of the annotators, from `lowest` (nothing in common) to `highest` (the same).

    `passages` are the kinds of the two passages that are compared, `pooling` what the number is
    read from: the first token, or the mean of all.
    """

    lowest: float = 0.0
    highest: float = 4.0
    passages: tuple[str, ...] = ("first", "second")
    pooling: Literal["first", "mean"] = "first"
    hidden_layers: int = 0
    windows: WindowSettings = field(default_factory=lambda: WindowSettings(512, 64))

    def __post_init__(self) -> None:
        if not -np.inf < self.lowest < self.highest < np.inf:
            raise BadInputError(
                f"[task] lowest = {self.lowest}, highest = {self.highest}: a scale rises"
            )
        if len(self.passages) != 2:
            raise BadInputError(f"[task] passages = {list(self.passages)}: name two kinds")


class Similarity(Task):
    """Says how similar two sentences are, as a number on the annotators' scale."""

    name: ClassVar[str] = "similarity"
    settings_type: ClassVar[type] = SimilaritySettings
    _settings: SimilaritySettings

    def heads(self) -> tuple[HeadSpec, ...]:
        """One number for a pair: 0 at the lowest end of the scale, 1 at the highest."""
        group = LabelGroup(HEAD, (SIMILARITY,))
        return (
            HeadSpec(
                HEAD,
                "sequence",
                (group,),
                loss="squared-error",
                pooling=self._settings.pooling,
                hidden_layers=self._settings.hidden_layers,
            ),
        )

    def inputs(self) -> tuple[InputName, ...]:
        """Segment ids tell one sentence from the other."""
        return ("token_ids", "mask", "segment_ids")

    @property
    def passages(self) -> tuple[str, ...]:
        """The two that it reads as a pair."""
        return self._settings.passages

    def examples(self, document: Document) -> list[Example]:
        """The pair, once; nothing where there is no text."""
        return [Example(document, 0, len(document.text))] if document.text.strip() else []

    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """One window for a pair, several for one that is too long."""
        first, second = self._settings.passages
        pairs = [passage_pair(one.document, first, second) for one in examples]
        return encode_pairs(pairs, tokenizer, self._settings.windows)

    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """The place of the pair on the scale, for each window alike."""
        place = (self._gold(example.document) - self._settings.lowest) / self._width
        return [{HEAD: np.array([place], dtype=np.float32)} for _ in windows]

    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """The document with its number in the metadata, and the place on the scale (0 to 1)."""
        del windows
        metadata = {key: one for key, one in document.metadata.items() if key != SIMILARITY}
        if not outputs:
            return replace(document, metadata=metadata, label_scores={})
        mean = float(np.mean([output[HEAD][0] for output in outputs[0]]))
        place = min(1.0, max(0.0, mean))
        number = self._settings.lowest + place * self._width
        metadata[SIMILARITY] = f"{number:.6g}"
        return replace(document, metadata=metadata, label_scores={SIMILARITY: place})

    def measure(self) -> str:
        """As the field reports these corpora."""
        return "Pearson correlation"

    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """Correlations with the annotators' numbers."""
        check_same_texts(gold, predicted)
        pairs = [
            (self._gold(one), number_of(other))
            for one, other in zip(gold, predicted, strict=True)
            if self.examples(one)
        ]
        return score_numbers([one for one, _ in pairs], [other for _, other in pairs])

    @classmethod
    def toy_documents(cls) -> list[Document]:
        """Pairs that are more and less alike."""
        return [
            scored_pair("toy-1", "Aspirin helps.", "Aspirin is of help.", 4.0),
            scored_pair("toy-2", "Aspirin helps.", "Lithium helps.", 2.0),
            scored_pair("toy-3", "Aspirin helps.", "It is late.", 0.0),
        ]

    def _gold(self, document: Document) -> float:
        """The annotators' number; an error where it is outside their scale."""
        number, settings = number_of(document), self._settings
        if not settings.lowest <= number <= settings.highest:
            end = "lowest" if number < settings.lowest else "highest"
            raise BadInputError(
                f"document {document.id!r}: similarity {number:g} is outside the scale from "
                f"{settings.lowest:g} to {settings.highest:g}; set task.{end} to the {end} number "
                "that its annotators may give"
            )
        return number

    @property
    def _width(self) -> float:
        return self._settings.highest - self._settings.lowest


TASK = Similarity


def scored_pair(name: str, first: str, second: str, similarity: float) -> Document:
    """Two sentences as a document, with their similarity."""
    known = {SIMILARITY: f"{similarity:.6g}"}
    return replace(pair_document(name, first, second), metadata=known)


def number_of(document: Document) -> float:
    """The similarity in a document's metadata; an error where there is no number."""
    value = document.metadata.get(SIMILARITY)
    try:
        number = float(value) if value is not None else np.nan
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise BadInputError(
            f"document {document.id!r}: metadata {SIMILARITY!r} is {value!r}, and no number"
        )
    return float(number)
