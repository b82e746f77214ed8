"""Filling gaps: what a masked language model puts where a text says `[MASK]`."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.model_folder import MANIFEST, read_manifest
from biobert.core.task import FloatArray, IntArray, Predictor, Window
from biobert.pipeline.load import (
    encoder_folder,
    load_model,
    longest_row,
    need_weights,
    torch_settings,
)
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks.pretraining import Pretraining, gap_candidates
from biobert.text.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Filling:
    """A word piece that may stand in a gap (`##ase` goes on with the word before)."""

    piece: str
    probability: float


@dataclass(frozen=True, slots=True)
class Gap:
    """One `[MASK]` of a text, and what may stand there, likeliest first."""

    start: int
    end: int
    candidates: tuple[Filling, ...]


class GapFiller:
    """A BERT folder with its masked language model, ours or from the Hugging Face hub.

    An exported one of ours needs no torch.
    """

    def __init__(self, model: str | Path, *, settings: RuntimeSettings = RuntimeSettings()) -> None:
        folder = self.folder = encoder_folder(model)
        self._task = Pretraining.from_settings({"pairs": "none"})
        self._tokenizer = Tokenizer.from_folder(folder)
        self._predictor = _loaded(folder, self._task, settings)
        self._longest_row = longest_row(folder, self._predictor)

    def through(self, wrap: Callable[[Predictor], Predictor]) -> Self:
        """The same model, its windows predicted by what `wrap` makes of its predictor."""
        other = copy(self)
        other._predictor = wrap(self._predictor)
        return other

    def fill(self, text: str, *, top: int = 5) -> list[Gap]:
        """Each gap of the text, in order, with the `top` likeliest pieces.

        Raises BadInputError for a text without `[MASK]`, or longer than the model's rows.
        """
        examples = self._task.examples(Document("text", text))
        windows = [part for parts in self._task.encode(examples, self._tokenizer) for part in parts]
        longest = max((len(window) for window in windows), default=0)
        if longest > self._longest_row:
            raise BadInputError(
                f"the text has {longest} tokens, the model reads {self._longest_row}; shorten it "
                "around the gap"
            )
        outputs = self._predictor.predict(windows)
        known = self._tokenizer.known_ids
        gaps = [
            self._gap(window, *found)
            for window, output in zip(windows, outputs, strict=True)
            for found in gap_candidates(window, output, top=top, pieces=known)
        ]
        if not gaps:
            raise BadInputError("there is no gap in the text; write [MASK] where a word is wanted")
        return gaps

    def _gap(self, window: Window, place: int, pieces: IntArray, probabilities: FloatArray) -> Gap:
        start, end = window.offsets[place].tolist()
        found = (
            Filling(str(self._tokenizer.backend.id_to_token(int(piece))), float(probability))
            for piece, probability in zip(pieces, probabilities, strict=True)
        )
        return Gap(start, end, tuple(found))


def _loaded(folder: Path, task: Pretraining, settings: RuntimeSettings) -> Predictor:
    if (folder / MANIFEST).is_file() and read_manifest(folder).task == task.name:
        return load_model(folder, settings).predictor
    need_weights(folder, settings)
    from biobert.model.predictor import load_language_model

    return load_language_model(folder, task.heads(), torch_settings(settings))
