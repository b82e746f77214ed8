"""A model on a test set: read the gold, let the model answer, report."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from biobert.core.arguments import check_kind, check_list
from biobert.core.document import Document
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.shelf import unknown_name
from biobert.core.task import Scores, Task
from biobert.data.catalogue import (
    check_renamed,
    documents_where,
    has_splits,
    read_split,
    with_renamed_labels,
)
from biobert.data.places import CorpusPlaces, check_places
from biobert.data.rejects import Rejects
from biobert.evaluation.generated import score_vectors
from biobert.evaluation.overlap import Shared, Training, Unit, without_shared
from biobert.evaluation.report import Predictions, Report, Setting
from biobert.evaluation.spans import annotated_alone
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.embedder import Embedder
from biobert.pipeline.learnt_from import learnt_from
from biobert.pipeline.load import LoadedModel
from biobert.tasks.classification import Classification
from biobert.tasks.cloze import Cloze
from biobert.tasks.generation import Generation
from biobert.tasks.multitask import Multitask
from biobert.tasks.pos import PartOfSpeechTagging
from biobert.tasks.sentences import SentenceLabelling
from biobert.training.corpora import note_set_aside


@dataclass(frozen=True, slots=True)
class TestSet:
    """A split of a catalogued corpus, a folder or a file.

    `rename` maps its labels to the model's; `labels` keeps only these types of entities, `where`
    only documents whose metadata say so. `part` is the one of a multitask that is tested.
    """

    corpus: str
    split: str = "test"
    rename: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    part: str | None = None

    def __post_init__(self) -> None:
        check_list("labels", self.labels)


def read_gold(
    test_set: TestSet, split: str, places: CorpusPlaces, rejects: Rejects | None = None
) -> list[Document]:
    """The documents of a split, at least one, with the model's names for labels."""
    rejects = Rejects() if rejects is None else rejects
    found = read_split(test_set.corpus, split, places, rejects=rejects)
    if not found:
        said = [f"{test_set.corpus} ({split}) has no documents"]
        note_set_aside(rejects, said.append)
        raise BadInputError("; ".join(said))
    meant = documents_where(found, test_set.where, corpus=test_set.corpus)
    if test_set.rename and split == test_set.split:  # Another one need not have all the labels.
        check_renamed(meant, test_set.rename, corpus=test_set.corpus)
    return [with_renamed_labels(document, test_set.rename) for document in meant]


def read_training(test_set: TestSet, places: CorpusPlaces) -> list[Document] | None:
    """The corpus's own training split, where it has one beside the test set."""
    if test_set.split == "train" or not has_splits(test_set.corpus):
        return None
    try:
        return read_gold(test_set, "train", places)
    except BiobertError:
        return None


def evaluate(
    annotator: Annotator,
    test_set: TestSet,
    places: CorpusPlaces,
    *,
    embedder: Embedder | None = None,
    rejects: Rejects | None = None,
) -> Report:
    """The model's answers to the raw text of a test set, scored by its task.

    With `embedder` written texts are also scored by its vectors. Records of the test set that
    cannot be read go to `rejects`.
    """
    check_kind("annotator", annotator, Annotator, f"Annotator({annotator!r})")
    check_kind("test_set", test_set, TestSet, f"TestSet({test_set!r})")
    check_places(places)
    rejects = Rejects() if rejects is None else rejects
    annotator = annotator.part(test_set.part)
    task, manifest = annotator.model.task, annotator.model.manifest
    if embedder is not None:
        _writing(task)
    gold = read_gold(test_set, test_set.split, places, rejects)
    labels = scored_labels(task, gold, test_set.labels)
    training = learnt_from(manifest, places=places)
    answers = answered(annotator, gold, test_set.labels)
    setting = Setting(
        model=f"{manifest.name} {manifest.version}",
        task=manifest.task,
        corpus=test_set.corpus,
        split=test_set.split,
        labels=labels,
        seconds=answers.seconds,
        training=training,
        set_aside=rejects.count,
        not_scored=_not_scored(task, gold) if test_set.labels is None else {},
    )
    report = _report(answers.task, answers.comparison(setting))
    if embedder is None:
        return report
    texts = _writing(answers.task).texts(answers.gold, answers.predicted)
    known, written = (list(embedder.token_vectors(some)) for some in texts)
    details = {**report.scores.details, "vector_f1": score_vectors(known, written).f1}
    return replace(report, scores=replace(report.scores, details=details))


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """Gold documents beside a model's answers, which took some seconds, and the task as it scores
    just these."""

    task: Task
    gold: Sequence[Document]
    predicted: Sequence[Document]
    seconds: float

    def scores(self) -> Scores:
        """By the task's own measure."""
        return self.task.score(self.gold, self.predicted)

    def comparison(self, setting: Setting) -> Predictions:
        """What a report is made of."""
        counts = self.task.counts(self.gold, self.predicted)
        return Predictions(self.gold, self.predicted, setting, self.task.score, counts)


def answered(
    annotator: Annotator, gold: Sequence[Document], labels: Sequence[str] | None = None
) -> Answered:
    """The model's answers to the raw text of gold documents; of entities those of `labels` alone,
    where they are told, and of types that a document is annotated for."""
    task = annotator.model.task
    began = time.perf_counter()
    predicted: Sequence[Document] = list(annotator.annotate_many(gold))
    seconds = time.perf_counter() - began
    scoring = task.among(predicted)
    if finds_mentions(task):
        gold, predicted = annotated_alone(gold, predicted)
    if labels is not None:
        gold = with_labels_alone(gold, labels)
    return Answered(scoring, gold, predicted, seconds)


def _report(task: Task, comparison: Predictions) -> Report:
    if finds_mentions(task):
        return comparison.entity_report()
    if finds_entities(task):
        return comparison.word_report()
    if isinstance(task, Classification | Cloze):
        return comparison.label_report()
    return comparison.document_report(shared_unit(task))


def _writing(task: Task) -> Generation:
    if isinstance(task, Generation):
        return task
    raise BadInputError(f"vectors compare written texts; a {task.name} model writes none")


def finds_entities(task: Task) -> bool:
    """Whether the task's answers are entities, scored sentence by sentence."""
    return any(head.kind == "token" for head in task.heads())


def finds_mentions(task: Task) -> bool:
    """Whether these entities are mentions of something, and not all words or all sentences."""
    return finds_entities(task) and not isinstance(task, PartOfSpeechTagging | SentenceLabelling)


def shared_unit(task: Task) -> Unit:
    """What of a test set may stand in the training data: sentences, where answers lie in one."""
    is_within = finds_entities(task) or task.settings().get("scope") == "sentence"
    return "sentences" if is_within else "documents"


def scored_labels(
    task: Task, gold: Sequence[Document], wanted: Sequence[str] | None
) -> tuple[str, ...]:
    """The labels of the task; of entities those that the corpus annotates, and the caller wants."""
    if isinstance(task, Multitask):
        raise BadInputError(
            f"the model answers {', '.join(task.parts)}: name one of them as part, or `biobert "
            "split` it"
        )
    known = task.settings().get("labels", ())
    if not finds_entities(task):
        if wanted is not None:
            raise BadInputError(f"labels chooses types of entities; a {task.name} model finds none")
        return tuple(known)
    annotated = {label for document in gold for label in document.annotated_labels}
    both = [label for label in known if label in annotated]
    if not both:
        raise BadInputError(
            f"the model finds {', '.join(known)}, the corpus annotates "
            f"{', '.join(sorted(annotated)) or 'nothing'}: none in common; use --rename "
            'THEIRS=OURS, or in a recipe rename = { THEIRS = "OURS" }'
        )
    for label in wanted or ():
        if label not in both:
            raise unknown_name("label of model and corpus", label, both)
    return tuple(wanted or both)


def _not_scored(task: Task, gold: Sequence[Document]) -> Counter[str]:
    """How many mentions the gold has of each type that the model does not know."""
    known = task.settings().get("labels", ())
    labels = (entity.label for one in gold for entity in one.entities)
    return Counter(one for one in labels if finds_entities(task) and one not in known)


def with_labels_alone(documents: Sequence[Document], labels: Sequence[str]) -> list[Document]:
    """The documents with entities of these types, and annotated for no others."""
    kept = (document.with_entities(document.entities_labelled(labels)) for document in documents)
    return [replace(document, annotated_labels=tuple(labels)) for document in kept]


@dataclass(frozen=True, slots=True)
class Scored:
    """The main score (0 to 1), and what of the gold the model has learnt from."""

    main: float
    shared: Shared


def scored(model: LoadedModel, gold: Sequence[Document], training: Training) -> Scored:
    """A model's answers to the raw text of gold documents, scored by its task, also without what
    stands in its training data."""
    scored_labels(model.task, gold, None)
    answers = answered(Annotator(model), gold)
    measure, unit = answers.task.score, shared_unit(model.task)
    shared = without_shared(answers.gold, answers.predicted, training, measure=measure, unit=unit)
    return Scored(answers.scores().main, shared)
