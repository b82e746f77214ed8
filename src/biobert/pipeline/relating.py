"""Relations between the entities that another model found, or that a document has."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from biobert.core.document import Document, Relation
from biobert.core.errors import BadInputError
from biobert.core.task import Task
from biobert.pipeline.load import LoadedModel, load_model
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks.multitask import tasks_in
from biobert.tasks.relations import RelationExtraction


def relation_tasks(task: Task) -> list[RelationExtraction]:
    """The task, or the parts of it, that relate entities."""
    return [one for one in tasks_in(task) if isinstance(one, RelationExtraction)]


def load_relation_model(
    model: str | Path | LoadedModel, labels: Collection[str], settings: RuntimeSettings
) -> LoadedModel:
    """A model that relates entities of these labels; an error where it relates none of them."""
    loaded = model if isinstance(model, LoadedModel) else load_model(model, settings)
    name = loaded.manifest.name if isinstance(model, LoadedModel) else model
    known = frozenset(labels)
    if not finds_relations(loaded.task):
        raise BadInputError(
            f"{name} is a model for {loaded.manifest.task!r}, not for relations; "
            "train one with a recipe whose task.name is 'relations'"
        )
    if not _has_pairs(loaded.task, known):
        found = ", ".join(sorted(known)) or "none"
        raise BadInputError(
            f"{name} relates {_pairs_of(loaded.task)}; the entities found are {found}"
            ": name the labels behind its types under [task.types] and train it anew"
        )
    return loaded


def nothing_to_relate(model: LoadedModel, labels: Collection[str]) -> str | None:
    """What a model of relations wants that documents with entities of these labels do not have;
    None where they have it, and for a model of anything else."""
    if not finds_relations(model.task) or _has_pairs(model.task, frozenset(labels)):
        return None
    return (
        f"{model.manifest.name} relates {_pairs_of(model.task)}, and the texts have no such "
        "entities: annotate with a model that finds them, and name this one as --relations"
    )


def _has_pairs(task: Task, labels: frozenset[str]) -> bool:
    pairs = (pair.labels for one in relation_tasks(task) for pair in one.pairs)
    return any(first & labels and second & labels for first, second in pairs)


def _pairs_of(task: Task) -> str:
    pairs = (pair for one in relation_tasks(task) for pair in one.pairs)
    return "; ".join(" and ".join(pair.names) for pair in pairs)


def finds_relations(task: Task) -> bool:
    """Whether the task's answers are relations of entities that are there already."""
    return len(relation_tasks(task)) == len(tasks_in(task))


def whole_relations(document: Document) -> Document:
    """The document without relations whose mentions are gone."""
    known = {entity.id for entity in document.entities}

    def is_whole(relation: Relation) -> bool:
        return all(one.kind == "concept" or one.target in known for one in relation.arguments)

    return replace(document, relations=tuple(filter(is_whole, document.relations)))
