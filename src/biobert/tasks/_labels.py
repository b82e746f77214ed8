"""What the tasks share that give documents labels."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.passages import pair_document
from biobert.core.questions import CONTEXT, QUESTION
from biobert.core.task import FloatArray, Scores
from biobert.evaluation.labels import score_labels
from biobert.tasks._words import outermost


def check_labels(labels: Sequence[str]) -> None:
    """An error unless there are labels, and each is there once."""
    if not labels or len(set(labels)) != len(labels):
        raise BadInputError(f"[task] labels = {list(labels)}: name each label once")


def known_labels(document: Document, labels: Sequence[str]) -> tuple[str, ...]:
    """The document's labels; an error where one is none of the task's."""
    for label in document.labels:
        if label not in labels:
            raise BadInputError(
                f"document {document.id!r}: label {label!r} is none of the task's "
                f"({', '.join(labels)}); {rename_cure(label)}"
            )
    return document.labels


def rename_cure(label: str) -> str:
    """What to do about a label that is none of the task's: on a command line, or in a recipe."""
    return (
        f"use --rename '{label}=OURS', or in a recipe rename = {{ '{label}' = 'OURS' }} under "
        "[data]; a model that is to learn it needs it in task.labels"
    )


def labels_not_learnt(
    documents: Sequence[Document], labels: Sequence[str], things: str
) -> list[str]:
    """What is lost of documents whose entities, words or sentences, have labels of no task, or lie
    inside one another."""
    found = Counter(entity.label for document in documents for entity in document.entities)
    unknown = sorted(found.keys() - set(labels))
    known = [{*document.entities_labelled(labels)} for document in documents]
    inside = sum(len(some) - len(outermost(some)) for some in known)
    said = []
    if unknown:
        count = sum(found[label] for label in unknown)
        said.append(
            f"{count} {things} are not learnt: {', '.join(unknown)} are none of task.labels"
        )
    if inside:
        said.append(f"{inside} {things} are not learnt: they lie inside longer ones")
    return said


def annotated_too(gold: Sequence[Document], labels: Sequence[str]) -> list[str]:
    """The labels that the gold corpus annotates; those that the model lacks count as wrong."""
    annotated = {label for document in gold for label in document.annotated_labels}
    known = [label for label in labels if not annotated or label in annotated]
    return [*known, *sorted(annotated - set(labels))]


def with_likeliest(document: Document, labels: Sequence[str], likely: FloatArray) -> Document:
    """The document with the likeliest label, and the probabilities (labels,) of all."""
    scores = dict(zip(labels, likely.tolist(), strict=True))
    best = max(labels, key=lambda label: scores[label])
    return replace(document, labels=(best,), label_scores=scores)


def score_documents(
    gold: Sequence[Sequence[str]],
    predicted: Sequence[Document],
    labels: Sequence[str],
    *,
    choice: Literal["one", "many"],
    measure: Literal["accuracy", "micro", "macro"],
) -> Scores:
    """Precision, recall and F1 of each label; the main figure is the accuracy over all documents,
    which unlike micro F1 counts one without an answer as wrong, or micro or macro F1."""
    scores = score_labels(gold, [one.labels for one in predicted], labels, choice)
    figures = {
        "accuracy": scores.details["accuracy"],
        "micro": scores.micro.f1,
        "macro": scores.details["macro_f1"],
    }
    return replace(scores, main=figures[measure])


def toy_questions() -> list[Document]:
    """Three questions with their contexts, answered yes, no and maybe."""
    texts = (
        ("Does aspirin help?", "Aspirin did help in all trials.", "yes"),
        ("Is lithium safe?", "Lithium caused cardiac arrest.", "no"),
        ("Is rest enough?", "Trials of rest are rare.", "maybe"),
    )
    return [_toy(number, *one) for number, one in enumerate(texts, start=1)]


def _toy(number: int, question: str, context: str, label: str) -> Document:
    pair = pair_document(f"toy-{number}", question, context, (QUESTION, CONTEXT))
    return replace(pair, labels=(label,))
