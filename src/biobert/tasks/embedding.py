"""Vectors of texts, learnt by contrast: a text lies near what belongs to it, far from the others.

With `pairs`, passages of one document belong together, such as a question and its abstract. With
`dropout`, every text belongs to itself, seen twice under different dropout (SimCSE, Gao et al.
2021, arXiv:2104.08821): this needs nothing but text.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from typing import ClassVar, Literal, Self

import numpy as np

from biobert.core.document import Document, Passage, Span
from biobert.core.errors import BadInputError
from biobert.core.passages import passage_of
from biobert.core.task import (
    ANCHOR,
    Counts,
    Example,
    FloatArray,
    HeadSpec,
    IntArray,
    Outputs,
    Scores,
    Targets,
    Task,
    TextTokenizer,
    Window,
)
from biobert.evaluation.ranking import ranks, score_ranks
from biobert.evaluation.spans import check_same_texts
from biobert.tasks._windows import encode_stretches
from biobert.text.sentences import sentences_of
from biobert.text.windows import WindowSettings

HEAD = "vector"
VECTOR = "vector"
"""Metadata: the vector of a passage as a JSON list, under `vector KIND`, or `vector` of a text."""


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """What gets a vector, and what it learns from.

    `passages` are the kinds of the anchor, of what belongs to it and, perhaps, of what only looks
    like it. Without them every sentence learns by itself, and `learn` is `dropout`. A lower
    `temperature` makes the nearest strangers weigh more.
    """

    passages: tuple[str, ...] = ()
    learn: Literal["pairs", "dropout"] = "pairs"
    pooling: Literal["mean", "first"] = "mean"
    temperature: float = 0.05
    windows: WindowSettings = field(default_factory=WindowSettings)

    def __post_init__(self) -> None:
        if self.temperature <= 0.0:
            raise BadInputError(f"[task] temperature = {self.temperature}: more than 0")
        needed = (2, 3) if self.learn == "pairs" else (0, 2, 3)
        if len(self.passages) not in needed:
            raise BadInputError(
                f"[task] passages = {list(self.passages)}, learn = {self.learn!r}: name two kinds, "
                "or three with a negative; without any, set learn = 'dropout'"
            )


class Embedding(Task):
    """Gives texts vectors whose cosine says how near they are in meaning."""

    name: ClassVar[str] = "embedding"
    settings_type: ClassVar[type] = EmbeddingSettings
    _settings: EmbeddingSettings

    def __init__(self, settings: EmbeddingSettings, pool: Sequence[Document] = ()) -> None:
        super().__init__(settings)
        self._pool = pool

    def heads(self) -> tuple[HeadSpec, ...]:
        """One vector for a row."""
        settings = self._settings
        return (
            HeadSpec(HEAD, "vector", pooling=settings.pooling, temperature=settings.temperature),
        )

    @property
    def passages(self) -> tuple[str, ...]:
        """Those that get a vector each; none where every sentence does."""
        return self._settings.passages

    def examples(self, document: Document) -> list[Example]:
        """Each of the passages, or each sentence."""
        return [Example(document, one.start, one.end) for _, one in self._parts(document)]

    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """One window for a text, several for one that is too long."""
        return encode_stretches(examples, tokenizer, self._settings.windows)

    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """Group and role of each window: documents of the same text are one group."""
        text, place = example.document.text, (example.start, example.end)
        if self._settings.learn == "dropout":
            stretch = text[example.start : example.end]
            groups = [_group(f"{number} {stretch}") for number in range(len(windows))]
            return [{HEAD: np.array([group, ANCHOR])} for group in groups]
        role = [(one.start, one.end) for _, one in self._parts(example.document)].index(place)
        return [{HEAD: np.array([_group(text), role])} for _ in windows]

    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """The document with the vectors of its passages, or its own, in the metadata."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for number, (kind, _) in enumerate(self._parts(document)):
            found[kind].append(number)
        vectors = {
            f"{VECTOR} {kind}".strip(): joined_vector(
                [window for number in numbers for window in windows[number]],
                [output[HEAD] for number in numbers for output in outputs[number]],
            )
            for kind, numbers in found.items()
        }
        kept = {key: one for key, one in document.metadata.items() if key.split()[:1] != [VECTOR]}
        written = {name: _json(vector) for name, vector in vectors.items()}
        return replace(document, metadata={**kept, **written})

    def measure(self) -> str:
        """The place of the right text among all."""
        return "mean reciprocal rank"

    def among(self, predicted: Sequence[Document]) -> Self:
        """The task as it looks for the answers to some questions in all of these documents."""
        return type(self)(self._settings, predicted)

    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """Where the second passage of a document stands when all are ranked by the first."""
        found, candidates = self._ranks(gold, predicted)
        return score_ranks(found, candidates=candidates)

    def counts(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Counts:
        """Each document as one answer, which is right as far as its reciprocal rank says."""
        found, _ = self._ranks(gold, predicted)
        return np.stack([1.0 / found, np.ones(len(found)), np.ones(len(found))], axis=1)

    def _ranks(
        self, gold: Sequence[Document], predicted: Sequence[Document]
    ) -> tuple[IntArray, int]:
        """The place of each document's second passage, and among how many it stands."""
        check_same_texts(gold, predicted)
        if len(self._settings.passages) < 2:
            raise BadInputError("[task] passages: name two kinds to score; or leave data.devel out")
        anchor, positive = self._settings.passages[:2]
        pool = {_text(one, positive): one for one in (*self._pool, *predicted)}
        places = {text: number for number, text in enumerate(pool)}
        if not gold:
            return np.zeros(0, dtype=np.int64), len(pool)
        found = ranks(
            np.stack([_vector(one, anchor) for one in predicted]),
            np.stack([_vector(one, positive) for one in pool.values()]),
            np.array([places[_text(one, positive)] for one in gold]),
        )
        return found, len(pool)

    @classmethod
    def toy_documents(cls) -> list[Document]:
        """Two questions with their texts."""
        return [
            _toy("toy-1", "Does aspirin help?", "Aspirin helped."),
            _toy("toy-2", "Is lithium safe?", "Lithium caused cardiac arrest."),
        ]

    def _parts(self, document: Document) -> list[tuple[str, Span]]:
        """What gets a vector, with the kind it has."""
        if not self._settings.passages:
            return [("", one) for one in sentences_of(document)]
        return [(kind, passage_of(document, kind)) for kind in self._settings.passages]


TASK = Embedding


def joined_vector(windows: Sequence[Window], vectors: Sequence[FloatArray]) -> FloatArray:
    """(size,) of length 1: the mean over windows, weighed by the tokens that each owns."""
    weights = [max(1, one.owned.stop - one.owned.start) for one in windows]
    mean = np.average(np.stack(vectors).astype(np.float64), axis=0, weights=weights)
    unit: FloatArray = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
    return unit


def _group(text: str) -> int:
    """A number that equal texts share, so that they are never each other's strangers."""
    digest = blake2b(text.encode(errors="replace"), digest_size=7).digest()
    return int.from_bytes(digest, "big")


def _text(document: Document, kind: str) -> str:
    span = passage_of(document, kind)
    return document.text[span.start : span.end]


def _json(vector: FloatArray) -> str:
    return json.dumps([float(f"{value:.7g}") for value in vector.tolist()])


def _vector(document: Document, kind: str) -> FloatArray:
    name = f"{VECTOR} {kind}"
    if name not in document.metadata:
        raise BadInputError(f"document {document.id!r} has no {name!r} in its metadata")
    return _read(document.metadata[name])


@lru_cache(maxsize=1 << 14)
def _read(text: str) -> FloatArray:
    return np.array(json.loads(text), dtype=np.float32)


def _toy(name: str, question: str, context: str) -> Document:
    text = f"{question}\n{context}"
    start = len(question) + 1
    passages = (Passage(0, len(question), "question"), Passage(start, len(text), "context"))
    return Document(name, text, passages=passages)
