"""The annotator: texts or documents in, annotated documents out."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from biobert.core.annotate import annotate_documents
from biobert.core.document import Document, Entity, Provenance
from biobert.core.errors import BadInputError
from biobert.core.shelf import unknown_name
from biobert.core.version import __version__
from biobert.pipeline.load import EMBEDDED, load_model
from biobert.runtime.settings import RuntimeSettings

CHUNK_CHARACTERS = 200_000


class Annotator:
    """Annotates text with a model: the built-in one, or a model folder.

    >>> document = Annotator().annotate("Aspirin may cause gastric ulcers.")
    >>> [(document.mention(entity), entity.label) for entity in document.entities]
    [('Aspirin', 'Chemical'), ('gastric ulcers', 'Disease')]
    """

    def __init__(
        self,
        model: str | Path = EMBEDDED,
        *,
        minimum_score: float = 0.0,
        labels: Iterable[str] | None = None,
        settings: RuntimeSettings = RuntimeSettings(),
    ) -> None:
        """Load the model; `labels` keeps only these types, `minimum_score` only surer entities."""
        if not 0.0 <= minimum_score <= 1.0:
            raise BadInputError(f"minimum score {minimum_score} is not between 0 and 1")
        self.model = load_model(model, settings)
        self.minimum_score = minimum_score
        self.labels = self._known_labels(labels)

    def annotate(self, text: str | Document) -> Document:
        """One text, annotated. Annotations of other makers in a document are replaced."""
        return next(self.annotate_many([text]))

    def annotate_many(self, texts: Iterable[str | Document]) -> Iterator[Document]:
        """A stream of texts, annotated, in order and in constant memory."""
        for chunk in _chunks(texts):
            annotated = annotate_documents(
                chunk,
                task=self.model.task,
                tokenizer=self.model.tokenizer,
                predictor=self.model.predictor,
            )
            yield from map(self._finish, annotated)

    def _finish(self, document: Document) -> Document:
        manifest = self.model.manifest
        kept = [entity for entity in document.entities if self._wanted(entity)]
        provenance = Provenance(
            source=document.provenance.source,
            model=manifest.name,
            version=f"{manifest.version} (biobert {__version__})",
        )
        return replace(document.with_entities(kept), provenance=provenance)

    def _wanted(self, entity: Entity) -> bool:
        sure = entity.score is None or entity.score >= self.minimum_score
        return sure and (self.labels is None or entity.label in self.labels)

    def _known_labels(self, labels: Iterable[str] | None) -> frozenset[str] | None:
        if labels is None:
            return None
        known = self.model.manifest.task_settings.get("labels", ())
        wanted = frozenset(labels)
        for label in wanted - frozenset(known):
            raise unknown_name("label", label, known)
        return wanted


def _chunks(texts: Iterable[str | Document]) -> Iterator[list[Document]]:
    """Documents in groups that together hold a bounded number of characters."""
    chunk: list[Document] = []
    size = 0
    for number, text in enumerate(texts, start=1):
        document = text if isinstance(text, Document) else Document(str(number), text)
        if chunk and size + len(document.text) > CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
        chunk.append(document)
        size += len(document.text)
    if chunk:
        yield chunk
