"""The annotator: texts or documents in, annotated documents out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from biobert.core.ahead import made_ahead
from biobert.core.annotate import (
    EncodedDocuments,
    Prediction,
    annotate_documents,
    decode_documents,
    encode_documents,
    predict_documents,
)
from biobert.core.document import Document, Entity, Provenance, Relation
from biobert.core.errors import BadInputError
from biobert.core.shelf import unknown_name
from biobert.core.version import __version__
from biobert.pipeline.load import EMBEDDED, LoadedModel, load_model
from biobert.pipeline.relating import finds_relations, load_relation_model, whole_relations
from biobert.runtime.settings import RuntimeSettings

Refused = Callable[[Document, str], None]
"""Told of a document that could not be annotated, and why."""
CHUNK_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Some documents on their way: those that the task can read are encoded, then predicted.

    `problems` says for each document why it cannot be read, or None.
    """

    documents: Sequence[Document]
    problems: Sequence[BadInputError | None]
    encoded: EncodedDocuments
    predictions: Sequence[Prediction] = ()


class Annotator:
    """Annotates text with a model: the built-in one, or a model folder.

    >>> document = Annotator().annotate("Aspirin may cause gastric ulcers.")
    >>> [(document.mention(entity), entity.label) for entity in document.entities]
    [('Aspirin', 'Chemical'), ('gastric ulcers', 'Disease')]
    """

    def __init__(
        self,
        model: str | Path | LoadedModel = EMBEDDED,
        *,
        minimum_score: float = 0.0,
        labels: Iterable[str] | None = None,
        relations: str | Path | LoadedModel | None = None,
        minimum_relation_score: float = 0.0,
        settings: RuntimeSettings = RuntimeSettings(),
    ) -> None:
        """Load the model; `labels` keeps only these types, `minimum_score` only surer entities.

        `relations` names a model that then relates the entities, and `minimum_relation_score`
        keeps only surer relations.
        """
        for score in (minimum_score, minimum_relation_score):
            if not 0.0 <= score <= 1.0:
                raise BadInputError(f"minimum score {score} is not between 0 and 1")
        self.model = model if isinstance(model, LoadedModel) else load_model(model, settings)
        self.minimum_score = minimum_score
        self.minimum_relation_score = minimum_relation_score
        self.labels = self._known_labels(labels)
        self.relations: LoadedModel | None = None
        if relations is not None:
            found = self.labels or self.model.manifest.task_settings.get("labels", ())
            self.relations = load_relation_model(relations, found, settings)

    @property
    def name(self) -> str:
        """Names and versions of the models at work."""
        manifests = [one.manifest for one in (self.model, self.relations) if one is not None]
        return " + ".join(f"{one.name} {one.version}" for one in manifests)

    def annotate(self, text: str | Document) -> Document:
        """One text, annotated. Annotations of other makers in a document are replaced."""
        return next(self.annotate_many([text]))

    def annotate_many(
        self, texts: Iterable[str | Document], *, refused: Refused | None = None
    ) -> Iterator[Document]:
        """A stream of texts, annotated, in order and in constant memory.

        While one chunk of it is decoded here, threads tokenize and predict those that follow. A
        document that the task cannot read (a question without its context) is an error, or goes to
        `refused`, in its turn, and is left out.
        """
        encoded = made_ahead(self._encoded, chunks(texts), ahead=1)
        for one in made_ahead(self._predicted, encoded, ahead=1):
            yield from self._finished(one, refused)

    def _encoded(self, documents: Sequence[Document]) -> _Chunk:
        problems: list[BadInputError | None] = [None] * len(documents)
        try:
            encoded = self._windows(documents)
        except BadInputError:
            problems = [self._problem(one) for one in documents]
            pairs = zip(documents, problems, strict=True)
            encoded = self._windows([one for one, problem in pairs if problem is None])
        return _Chunk(documents, problems, encoded)

    def _problem(self, document: Document) -> BadInputError | None:
        try:
            self._windows([document])
        except BadInputError as problem:
            return problem
        return None

    def _windows(self, documents: Sequence[Document]) -> EncodedDocuments:
        model = self.model
        return encode_documents(documents, task=model.task, tokenizer=model.tokenizer)

    def _predicted(self, chunk: _Chunk) -> _Chunk:
        answers = predict_documents(chunk.encoded, self.model.predictor)
        return replace(chunk, predictions=answers)

    def _finished(self, chunk: _Chunk, refused: Refused | None) -> Iterator[Document]:
        annotated = [
            self._kept(one) for one in decode_documents(chunk.predictions, self.model.task)
        ]
        if self.relations is not None:
            annotated = [self._kept_relations(one) for one in _answered(annotated, self.relations)]
        answers = iter(annotated)
        for document, problem in zip(chunk.documents, chunk.problems, strict=True):
            if problem is None:
                yield self._signed(next(answers))
            elif refused is None:
                raise problem
            else:
                refused(document, str(problem))

    def _kept(self, document: Document) -> Document:
        if finds_relations(self.model.task):
            kept = [one for one in document.relations if self._wanted(one)]
            return replace(document, relations=tuple(kept))
        kept_entities = [entity for entity in document.entities if self._wanted(entity)]
        return whole_relations(document.with_entities(kept_entities))

    def _kept_relations(self, document: Document) -> Document:
        kept = (one for one in document.relations if _is_sure(one, self.minimum_relation_score))
        return replace(document, relations=tuple(kept))

    def _signed(self, document: Document) -> Document:
        manifests = [one.manifest for one in (self.model, self.relations) if one is not None]
        provenance = Provenance(
            source=document.provenance.source,
            model=" + ".join(one.name for one in manifests),
            version=f"{' + '.join(one.version for one in manifests)} (biobert {__version__})",
        )
        return replace(document, provenance=provenance)

    def _wanted(self, one: Entity | Relation) -> bool:
        is_sure = _is_sure(one, self.minimum_score)
        return is_sure and (self.labels is None or one.label in self.labels)

    def _known_labels(self, labels: Iterable[str] | None) -> frozenset[str] | None:
        if labels is None:
            return None
        known = self.model.manifest.task_settings.get("labels", ())
        wanted = frozenset(labels)
        for label in wanted - frozenset(known):
            raise unknown_name("label", label, known)
        return wanted


def _answered(documents: Sequence[Document], model: LoadedModel) -> list[Document]:
    return annotate_documents(
        documents, task=model.task, tokenizer=model.tokenizer, predictor=model.predictor
    )


def _is_sure(one: Entity | Relation, minimum_score: float) -> bool:
    return one.score is None or one.score >= minimum_score


def chunks(texts: Iterable[str | Document]) -> Iterator[list[Document]]:
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
