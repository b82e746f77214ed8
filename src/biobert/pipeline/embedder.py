"""The embedder: texts in, vectors out, in order and in constant memory."""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self

import numpy as np

from biobert.core.ahead import made_ahead
from biobert.core.arguments import check_many
from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.model_folder import MANIFEST, read_manifest
from biobert.core.settings import to_mapping
from biobert.core.task import Example, FloatArray, HeadSpec, Outputs, Predictor, Window
from biobert.pipeline.load import encoder_folder, load_model, need_weights, torch_settings
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks.embedding import HEAD, Embedding, EmbeddingSettings, joined_vector
from biobert.text.tokenizer import Tokenizer
from biobert.text.windows import WindowSettings

CHUNK_CHARACTERS = 200_000
"""So many characters of texts are sorted by length together."""
Pooling = Literal["mean", "first"]


class Embedder:
    """Vectors of length 1 for texts, whose dot product says how near two are in meaning.

    A text longer than a window goes through several, whose vectors are averaged, each weighed by
    the tokens it owns: nothing is cut away.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        pooling: Pooling | None = None,
        windows: WindowSettings | None = None,
        settings: RuntimeSettings = RuntimeSettings(),
    ) -> None:
        """Load a folder trained or exported for it, or the encoder of any folder or hub name.

        The former brings its `pooling` and `windows`; others are pooled by the mean over windows of
        256 tokens unless something else is said.
        """
        folder = encoder_folder(model)
        self.folder = folder
        self._settings = settings
        self.tokenizer = Tokenizer.from_folder(folder)
        self.task, self._predictor = _loaded(folder, pooling, windows, settings)
        self._check_windows()

    def through(self, wrap: Callable[[Predictor], Predictor]) -> Self:
        """The same embedder, its windows predicted by what `wrap` makes of its predictor."""
        other = copy(self)
        other._predictor = wrap(self._predictor)
        return other

    def embed(self, text: str) -> FloatArray:
        """(size,) the vector of one text."""
        return next(self.embed_many([text]))

    def embed_many(self, texts: Iterable[str]) -> Iterator[FloatArray]:
        """The vector of each text, in order; an empty text has one too."""
        check_many("texts", texts, str, single="embed")
        encoded = made_ahead(self._windows, _chunks(texts), ahead=1)
        for windows, found in made_ahead(self._predicted, encoded, ahead=1):
            outputs = iter(found)
            for parts in windows:
                yield joined_vector(parts, [next(outputs)[HEAD] for _ in parts])

    def token_vectors(self, texts: Iterable[str]) -> Iterator[FloatArray]:
        """(tokens, size) the vectors of each text's own word pieces, in order; needs torch."""
        check_many("texts", texts, str)
        (head,) = self.task.heads()
        predictor = _encoder(self.folder, replace(head, pooling="none"), self._settings)
        for chunk in _chunks(texts):
            windows = self._windows(chunk)
            outputs = iter(predictor.predict([one for parts in windows for one in parts]))
            for parts in windows:
                yield np.concatenate([_owned(one, next(outputs)) for one in parts])

    def _windows(self, texts: list[str]) -> list[tuple[Window, ...]]:
        documents = (Document(str(number), text) for number, text in enumerate(texts))
        examples = [Example(one, 0, len(one.text)) for one in documents]
        return self.task.encode(examples, self.tokenizer)

    def _predicted(
        self, windows: list[tuple[Window, ...]]
    ) -> tuple[list[tuple[Window, ...]], list[Outputs]]:
        return windows, self._predictor.predict([one for parts in windows for one in parts])

    def _check_windows(self) -> None:
        positions = getattr(self._predictor, "maximum_positions", None)
        wanted = self.task.settings()["windows"]["maximum_tokens"]
        if positions is not None and wanted > positions:
            raise BadInputError(
                f"windows of {wanted} tokens: this encoder knows {positions} positions",
                code="usage",
            )


def _loaded(
    folder: Path, pooling: Pooling | None, windows: WindowSettings | None, settings: RuntimeSettings
) -> tuple[Embedding, Predictor]:
    """The task and the predictor of a folder: those it was trained with, or made for it here."""
    if not (folder / MANIFEST).is_file() or read_manifest(folder).task != Embedding.name:
        task = Embedding(
            EmbeddingSettings(
                learn="dropout", pooling=pooling or "mean", windows=windows or WindowSettings()
            )
        )
        return task, _encoder(folder, task.heads()[0], settings)
    model = load_model(folder, settings)
    (head,) = model.task.heads()
    if pooling not in (None, head.pooling):
        raise BadInputError(
            f"{folder} was made with pooling {head.pooling!r}; leave the pooling to it",
            code="usage",
        )
    own = model.task.settings()
    if windows is None:
        return Embedding.from_settings(own), model.predictor
    known = own["windows"]["maximum_tokens"]
    if windows.maximum_tokens > known and not hasattr(model.predictor, "maximum_positions"):
        # An exported graph answers such rows too, with positions that it has never seen.
        raise BadInputError(
            f"windows of {windows.maximum_tokens} tokens: {folder} is exported, and was made for "
            f"{known}; name the folder that it was made of",
            code="usage",
        )
    return Embedding.from_settings({**own, "windows": to_mapping(windows)}), model.predictor


def _encoder(folder: Path, head: HeadSpec, settings: RuntimeSettings) -> Predictor:
    need_weights(folder, settings)
    from biobert.model.predictor import load_encoder_predictor

    return load_encoder_predictor(folder, [head], torch_settings(settings))


def _owned(window: Window, output: Outputs) -> FloatArray:
    vectors: FloatArray = output[HEAD][window.owned]
    return vectors


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for text in texts:
        chunk.append(text)
        size += len(text) + 1
        if size >= CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
