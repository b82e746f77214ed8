"""Windows in, texts out: the predictor of a decoder, whatever runs it."""

from collections.abc import Sequence
from threading import Lock
from typing import Protocol

import numpy as np

from biobert.core.batching import length_sorted_batches, window_arrays
from biobert.core.errors import BadInputError
from biobert.core.task import (
    UNFINISHED,
    FloatArray,
    HeadSpec,
    IntArray,
    Outputs,
    Window,
    WritingSettings,
)
from biobert.text.beam_search import BoolArray, Reading, TextEnds, written_ids
from biobert.text.tokenizer import Tokenizer

TOKEN_BUDGET = 8192
"""Of source tokens times beams."""


class Decoder(Protocol):
    """An encoder with a decoder, on some engine; `pieces` is how many a text can have."""

    @property
    def engine(self) -> str:
        """What runs it."""
        ...

    @property
    def precision(self) -> str:
        """How it computes."""
        ...

    @property
    def positions(self) -> int:
        """The longest source it reads."""
        ...

    @property
    def pieces(self) -> int:
        """The longest text it writes."""
        ...

    def read(self, token_ids: IntArray, mask: BoolArray) -> Reading:
        """Read padded sources, (sources, length) both."""
        ...


class TextPredictor:
    """Writes a text for each window, as the head says."""

    def __init__(
        self,
        decoder: Decoder,
        head: HeadSpec,
        tokenizer: Tokenizer,
        *,
        token_budget: int | None = None,
    ) -> None:
        self.decoder = decoder
        self.head = head
        self.settings = head.writing or WritingSettings()
        self._tokenizer = tokenizer
        self._budget = token_budget or TOKEN_BUDGET
        self._borders = TextEnds(tokenizer.special("cls"), tokenizer.special("sep"))
        # Callers at once, such as two streams of one annotator, would only wait for each other.
        self._turn = Lock()
        self._check_room()

    @property
    def engine(self) -> str:
        """What runs the decoder."""
        return self.decoder.engine

    @property
    def precision(self) -> str:
        """How it computes."""
        return self.decoder.precision

    @property
    def maximum_positions(self) -> int:
        """The longest window it takes."""
        return self.decoder.positions

    def predict(self, windows: Sequence[Window]) -> list[Outputs]:
        """For each window the code points of its text, and whether it was stopped (1 or 0)."""
        outputs: list[Outputs] = [{} for _ in windows]
        lengths = [len(window) for window in windows]
        budget = max(1, self._budget // self.settings.beams)
        with self._turn:
            for batch in length_sorted_batches(lengths, token_budget=budget):
                numbers = batch.tolist()
                rows = self._written([windows[number] for number in numbers])
                for number, row in zip(numbers, rows, strict=True):
                    outputs[number] = self._output(row)
        return outputs

    def _written(self, windows: Sequence[Window]) -> list[list[int]]:
        arrays = window_arrays(windows, pad_id=self._tokenizer.special("pad"))
        reading = self.decoder.read(arrays["token_ids"], arrays["mask"])
        return written_ids(reading, len(windows), self.settings, self._borders)

    def _output(self, row: Sequence[int]) -> Outputs:
        finished = row[-1] == self._borders.last
        text = self._tokenizer.text(row[:-1] if finished else row)
        stopped = np.array([0.0 if finished else 1.0], dtype=np.float32)
        return {self.head.name: code_points(text), UNFINISHED: stopped}

    def _check_room(self) -> None:
        wanted = self.settings.maximum_pieces
        if wanted > self.decoder.pieces:
            raise BadInputError(
                f"a text of {wanted} pieces: this decoder writes up to {self.decoder.pieces}",
                code="usage",
            )


def code_points(text: str) -> FloatArray:
    """(characters,) Unicode code points; float32 holds all of them exactly."""
    return np.array([ord(character) for character in text], dtype=np.float32)
