"""The writer: documents in, documents with a text about each out."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.core.settings import from_mapping, to_mapping
from biobert.core.task import WritingSettings
from biobert.pipeline.load import load_model, model_folder
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks.generation import GENERATED, Generation

CHUNK_DOCUMENTS = 16


def trained_writing(model: str | Path) -> WritingSettings:
    """How a model was told to write when it was trained."""
    return from_mapping(WritingSettings, _settings(model).get("writing", {}), place=str(model))


class Writer:
    """Writes texts with a trained `generation` model, about sources of any length."""

    def __init__(
        self,
        model: str | Path,
        *,
        writing: WritingSettings | None = None,
        settings: RuntimeSettings = RuntimeSettings(),
    ) -> None:
        """Load the model; `writing` replaces how it was told to write."""
        _settings(model)
        changes = None if writing is None else {"writing": to_mapping(writing)}
        self.model = load_model(model, settings, changes=changes)

    def write(self, text: str) -> str:
        """A text about one text."""
        (document,) = self.write_many([Document("text", text)])
        return document.metadata[GENERATED]

    def write_many(self, documents: Iterable[Document]) -> Iterator[Document]:
        """A stream of documents, each with its text in the metadata, in order.

        Where a source took several windows, or a text was stopped before its end, the metadata says
        so too (`generated_parts`, `generated_unfinished`).
        """
        stream = iter(documents)
        while chunk := list(islice(stream, CHUNK_DOCUMENTS)):
            yield from self.model.annotated(chunk)


def _settings(model: str | Path) -> Mapping[str, Any]:
    """Those of the model's task, which must be to write."""
    manifest = read_manifest(model_folder(model))
    if manifest.task != Generation.name:
        raise BadInputError(
            f"{model} was trained for {manifest.task!r}; writing needs a model for "
            f"{Generation.name!r}, such as recipes/gen-pubmedqa.toml makes"
        )
    return manifest.task_settings
