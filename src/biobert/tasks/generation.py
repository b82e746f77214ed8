"""Writing a text from another: an abstract's conclusion from the rest, a title from an abstract.

The text that should be written stands in a document's metadata, so that no encoder ever reads it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from biobert.core.document import Document
from biobert.core.task import (
    IGNORED,
    UNFINISHED,
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
    WritingSettings,
)
from biobert.evaluation.generated import score_texts
from biobert.evaluation.spans import check_same_texts
from biobert.tasks._windows import encode_stretches
from biobert.text.windows import WindowSettings

HEAD = "text"
GENERATED = "generated"
"""Metadata: the text that was written."""
GENERATED_PARTS = "generated_parts"
"""Metadata: from how many stretches of a source too long for one window, each written by itself."""
GENERATED_UNFINISHED = "generated_unfinished"
"""Metadata: how many of them were stopped at `writing.maximum_pieces`."""


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """`target` is the key of the metadata that holds the gold text; `writing` how one is written.

    A document whose source or gold is longer than a window teaches nothing; the run says how many.
    Of a source that is too long, each stretch is written about by itself.
    """

    target: str = "long_answer"
    writing: WritingSettings = field(default_factory=WritingSettings)
    windows: WindowSettings = field(default_factory=lambda: WindowSettings(512, 0))


class Generation(Task):
    """Writes a text about a document."""

    name: ClassVar[str] = "generation"
    settings_type: ClassVar[type] = GenerationSettings
    _settings: GenerationSettings

    def heads(self) -> tuple[HeadSpec, ...]:
        """One decoder."""
        return (HeadSpec(HEAD, "text", writing=self._settings.writing),)

    def examples(self, document: Document) -> list[Example]:
        """The whole text; nothing where there is none."""
        return [Example(document, 0, len(document.text))] if document.text.strip() else []

    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """One window for a text, with its gold where that is known; several for one too long."""
        encoded = encode_stretches(examples, tokenizer, self._settings.windows)
        gold = tokenizer.pieces([self._gold(example.document) for example in examples])
        first, last = np.array([tokenizer.special("cls")]), np.array([tokenizer.special("sep")])
        return [
            tuple(
                replace(window, written=np.concatenate([first, pieces.ids, last]))
                if len(pieces.ids)
                else window
                for window in windows
            )
            for windows, pieces in zip(encoded, gold, strict=True)
        ]

    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """At each piece the next one; nothing where source or gold is too long."""
        del example
        longest = self._settings.windows.maximum_tokens
        learns = len(windows) == 1 and len(windows[0].written) <= longest
        return [{HEAD: _next_pieces(window.written, learns=learns)} for window in windows]

    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """The document with the text in its metadata, and there what was not written in one go."""
        del windows
        parts = [output for some in outputs for output in some]
        stopped = sum(int(one[UNFINISHED][0]) for one in parts if UNFINISHED in one)
        own = (GENERATED, GENERATED_PARTS, GENERATED_UNFINISHED)
        metadata = {key: one for key, one in document.metadata.items() if key not in own}
        metadata[GENERATED] = " ".join(_text(one[HEAD]) for one in parts)
        if len(parts) > 1:
            metadata[GENERATED_PARTS] = str(len(parts))
        if stopped:
            metadata[GENERATED_UNFINISHED] = str(stopped)
        return replace(document, metadata=metadata)

    def measure(self) -> str:
        """The longest common subsequence of words."""
        return "ROUGE-L F1"

    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """ROUGE over the documents whose gold text is known."""
        return score_texts(*self.texts(gold, predicted))

    def texts(
        self, gold: Sequence[Document], predicted: Sequence[Document]
    ) -> tuple[list[str], list[str]]:
        """The gold texts that are known, and what was written in their place."""
        check_same_texts(gold, predicted)
        known = [self._gold(one) for one in gold]
        written = [one.metadata.get(GENERATED, "") for one in predicted]
        pairs = [pair for pair in zip(known, written, strict=True) if pair[0]]
        return [one for one, _ in pairs], [other for _, other in pairs]

    @classmethod
    def toy_documents(cls) -> list[Document]:
        """Two short abstracts with their conclusions."""
        return [
            _toy("toy-1", "Lithium was given. It caused cardiac arrest.", "lithium is a danger."),
            _toy("toy-2", "Aspirin was given. All was well.", "aspirin is safe."),
        ]

    def _gold(self, document: Document) -> str:
        return document.metadata.get(self._settings.target, "").strip()


TASK = Generation


def _next_pieces(written: IntArray, *, learns: bool) -> IntArray:
    """(n, 1) what follows each of n pieces; nothing follows the last."""
    following = np.full((len(written), 1), IGNORED, dtype=np.int64)
    if learns:
        following[:-1, 0] = written[1:]
    return following


def _text(points: FloatArray) -> str:
    return "".join(map(chr, points.astype(np.int64).tolist()))


def _toy(name: str, text: str, conclusion: str) -> Document:
    return Document(name, text, metadata={"long_answer": conclusion})
