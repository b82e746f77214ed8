"""The annotator: texts or documents in, annotated documents out."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from biobert.core.ahead import made_ahead
from biobert.core.annotate import (
    EncodedDocuments,
    Prediction,
    decode_documents,
    predict_documents,
)
from biobert.core.arguments import check_list, check_many, shown
from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.shelf import unknown_name
from biobert.core.version import __version__
from biobert.pipeline.load import EMBEDDED, LoadedModel, load_model
from biobert.pipeline.relating import (
    finds_relations,
    load_relation_model,
    relation_tasks,
    whole_relations,
)
from biobert.runtime.settings import RuntimeSettings
from biobert.text.tokenizer import without_surrogates

_Outcome = Document | BadInputError
"""A document with its annotations, or why it cannot be read."""
CHUNK_CHARACTERS = 100_000
FINDING = {"token", "span"}
"""Kinds of heads that find entities; others leave those of a document alone."""
PAIRS_AT_ONCE = 10_000
"""Each is a row in memory, and a chunk that is full of mentions has a million."""


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Some documents on their way: those that the task can read are encoded, then predicted.

    `problems` says for each document why it cannot be read, or None.
    """

    documents: Sequence[Document]
    problems: Sequence[BadInputError | None]
    encoded: EncodedDocuments
    predictions: Sequence[Prediction] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that the task cannot read (a question without its context), and why."""

    document: Document
    problem: BadInputError


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
        terms: Mapping[str, Sequence[str]] | None = None,
        settings: RuntimeSettings = RuntimeSettings(),
        watch: Callable[[Document], None] | None = None,
    ) -> None:
        """Load the model; `labels` keeps only these types of its answers, `minimum_score` only
        surer ones.

        `relations` names a model that then relates the entities, and `minimum_relation_score`
        keeps only surer relations. `terms` are names of each type that are marked wherever they
        stand. `watch` is told of each document with all that the model found, whatever is kept.
        """
        check_list("labels", labels)
        for label, names in (terms or {}).items():
            check_list(f"terms[{label!r}]", names)
        for score in (minimum_score, minimum_relation_score):
            if not 0.0 <= score <= 1.0:
                raise BadInputError(f"minimum score {score} is not between 0 and 1")
        self.model = model if isinstance(model, LoadedModel) else load_model(model, settings)
        if terms:
            self.model = self.model.told(terms)
        self.minimum_score = minimum_score
        self.minimum_relation_score = minimum_relation_score
        self.labels = self._known_labels(labels)
        self._check_finds(minimum_score)
        self._models, self._settings = [self.model], settings
        self._watch = watch
        self.relations: LoadedModel | None = None
        if relations is None:
            self._check_relates(minimum_relation_score)
        else:
            found = self.labels or self.model.labels
            self.relations = load_relation_model(relations, found, settings)
            self._models.append(self.relations)

    def part(self, name: str | None) -> "Annotator":
        """The same with the part of a multitask that is called `name` alone; None stands for all.

        Of `labels` those of the part are kept. Raises BadInputError where it has none of them, or
        finds nothing that a minimum score could leave out.
        """
        if name is None:
            return self
        model = self.model.part(name)
        known = (self.labels or frozenset()) & frozenset(model.labels)
        return Annotator(
            model,
            minimum_score=self.minimum_score,
            labels=known or self.labels,
            relations=self.relations,
            minimum_relation_score=self.minimum_relation_score,
            settings=self._settings,
            watch=self._watch,
        )

    @property
    def name(self) -> str:
        """Names and versions of the models at work."""
        manifests = [one.manifest for one in self._models]
        return " + ".join(f"{one.name} {one.version}" for one in manifests)

    @property
    def fingerprint(self) -> str:
        """A digest of what the answers depend on: the models, what runs them, and what is kept."""
        models = [asdict(one.manifest) for one in self._models]
        run = [__version__, self._settings.engine, self._settings.precision]
        labels = None if self.labels is None else sorted(self.labels)
        values = [models, run, self.minimum_score, self.minimum_relation_score, labels]
        return sha256(json.dumps(values).encode()).hexdigest()[:16]

    def annotate(self, text: str | Document) -> Document:
        """One text, annotated. Where the model finds entities, what a document says already goes:
        the answer names the model as its maker."""
        return next(self.annotate_many([text]))

    def annotate_many(self, texts: Iterable[str | Document]) -> Iterator[Document]:
        """A stream of texts, annotated, in order and in constant memory.

        A document that the task cannot read is an error, in its turn.
        """
        check_many("texts", texts, str | Document, single="annotate")
        for chunk in self.annotate_chunks(texts):
            for one in chunk:
                if isinstance(one, Refused):
                    raise one.problem
                yield one

    def annotate_chunks(
        self, texts: Iterable[str | Document]
    ) -> Iterator[list[Document | Refused]]:
        """The same in the chunks that are worked on together, with what cannot be read.

        While one chunk is decoded here, threads tokenize and predict those that follow.
        """
        encoded = made_ahead(partial(_encoded, model=self.model), chunks(texts), ahead=1)
        for one in made_ahead(partial(_predicted, model=self.model), encoded, ahead=1):
            yield self._finished(one)

    def _finished(self, chunk: _Chunk) -> list[Document | Refused]:
        outcomes = [_and_then(self._kept, one) for one in _decoded(chunk, self.model)]
        if self.relations is not None:
            outcomes = _related(outcomes, self.relations)
            outcomes = [_and_then(self._kept_relations, one) for one in outcomes]
        return [
            self._signed(outcome) if isinstance(outcome, Document) else Refused(document, outcome)
            for document, outcome in zip(chunk.documents, outcomes, strict=True)
        ]

    def _kept(self, document: Document) -> Document:
        """The document with those of the model's answers that are wanted, and all it brought."""
        if self._watch is not None:
            self._watch(document)
        task = self.model.task
        if finds_relations(task):
            kept = (one for one in document.relations if self._wanted(one.label, one.score))
            return self._kept_relations(replace(document, relations=tuple(kept)))
        kinds = {head.kind for head in task.heads()}
        if kinds == {"token"}:
            document = replace(document, relations=(), labels=(), label_scores={})
        if kinds & FINDING:
            found = (one for one in document.entities if self._wanted(one.label, one.score))
            document = whole_relations(document.with_entities(found))
        document = self._kept_labels(document)
        return self._kept_relations(document) if relation_tasks(task) else document

    def _kept_labels(self, document: Document) -> Document:
        own, scores = self.model.labels, document.label_scores
        kept = (
            one for one in document.labels if one not in own or self._wanted(one, scores.get(one))
        )
        wanted = {
            one: score for one, score in scores.items() if one not in own or self._wanted(one, None)
        }
        return replace(document, labels=tuple(kept), label_scores=wanted)

    def _kept_relations(self, document: Document) -> Document:
        least = self.minimum_relation_score
        kept = (one for one in document.relations if _is_sure(one.score, least))
        return replace(document, relations=tuple(kept))

    def _signed(self, document: Document) -> Document:
        first, *others = self._models
        return replace(document, provenance=first.provenance(document.provenance.source, *others))

    def _wanted(self, label: str, score: float | None) -> bool:
        is_sure = _is_sure(score, self.minimum_score)
        return is_sure and (self.labels is None or label in self.labels)

    def _check_finds(self, minimum_score: float) -> None:
        task = self.model.task
        if minimum_score and not (
            self.model.labels or {one.kind for one in task.heads()} & FINDING
        ):
            raise BadInputError(
                f"minimum score {minimum_score}: a {task.name} model finds nothing that could be "
                "left out",
                code="usage",
            )

    def _check_relates(self, minimum_score: float) -> None:
        if minimum_score and not relation_tasks(self.model.task):
            raise BadInputError(
                f"minimum relation score {minimum_score}: {self.model.manifest.name} relates "
                "nothing; name a model that does as relations (`--relations`)",
                code="usage",
            )

    def _known_labels(self, labels: Iterable[str] | None) -> frozenset[str] | None:
        if labels is None:
            return None
        known = self.model.labels
        wanted = frozenset(labels)
        for label in wanted - frozenset(known):
            raise unknown_name("label", label, known)
        return wanted


def _encoded(documents: Sequence[Document], model: LoadedModel) -> _Chunk:
    problems: list[BadInputError | None] = [None] * len(documents)
    try:
        encoded = model.encoded(documents)
    except BadInputError:
        problems = model.problems(documents)
        pairs = zip(documents, problems, strict=True)
        encoded = model.encoded([one for one, problem in pairs if problem is None])
    return _Chunk(documents, problems, encoded)


def _predicted(chunk: _Chunk, model: LoadedModel) -> _Chunk:
    return replace(chunk, predictions=predict_documents(chunk.encoded, model.predictor))


def _decoded(chunk: _Chunk, model: LoadedModel) -> list[_Outcome]:
    answers = iter(decode_documents(chunk.predictions, model.task))
    return [next(answers) if problem is None else problem for problem in chunk.problems]


def _related(outcomes: Sequence[_Outcome], model: LoadedModel) -> list[_Outcome]:
    """What a model of relations makes of the documents; what could not be read stays so."""
    readable = [one for one in outcomes if isinstance(one, Document)]
    related = (
        one
        for some in _groups(readable, _pairs_of, PAIRS_AT_ONCE)
        for one in _decoded(_predicted(_encoded(some, model), model), model)
    )
    return [next(related) if isinstance(one, Document) else one for one in outcomes]


def _and_then(change: Callable[[Document], Document], outcome: _Outcome) -> _Outcome:
    return change(outcome) if isinstance(outcome, Document) else outcome


def _is_sure(score: float | None, minimum_score: float) -> bool:
    return score is None or score >= minimum_score


def chunks(texts: Iterable[str | Document]) -> Iterator[list[Document]]:
    """Documents in groups that together hold a bounded number of characters."""
    documents = (_document(text, number) for number, text in enumerate(texts, start=1))
    return _groups(documents, lambda one: len(one.text), CHUNK_CHARACTERS)


def _document(text: str | Document, number: int) -> Document:
    if isinstance(text, Document):
        # Half of a surrogate pair is no character, and could not be written to a file.
        whole = without_surrogates(text.text)
        return text if whole == text.text else replace(text, text=whole)
    if not isinstance(text, str):
        raise BadInputError(
            f"text {number} is {shown(text)}; give a string or a Document "
            "(several to annotate_many)"
        )
    return Document(str(number), without_surrogates(text))


def _pairs_of(document: Document) -> int:
    """No fewer pairs than its entities can make."""
    return len(document.entities) ** 2 // 2


def _groups(
    documents: Iterable[Document], size_of: Callable[[Document], int], most: int
) -> Iterator[list[Document]]:
    """Documents in groups, none larger than `most`, but for one that is larger alone."""
    group: list[Document] = []
    size = 0
    for document in documents:
        if group and size + size_of(document) > most:
            yield group
            group, size = [], 0
        group.append(document)
        size += size_of(document)
    if group:
        yield group
