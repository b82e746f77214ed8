"""Relations between the entities that another model found, or that a document has."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from biobert.core.document import Document, Relation
from biobert.core.errors import BadInputError
from biobert.core.task import Task
from biobert.pipeline.load import LoadedModel, load_model
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks.relations import RelationExtraction


def load_relation_model(
    model: str | Path | LoadedModel, labels: Collection[str], settings: RuntimeSettings
) -> LoadedModel:
    """A model that relates entities of these labels; an error where it relates none of them."""
    loaded = model if isinstance(model, LoadedModel) else load_model(model, settings)
    name = loaded.manifest.name if isinstance(model, LoadedModel) else model
    task, known = loaded.task, frozenset(labels)
    if not isinstance(task, RelationExtraction):
        raise BadInputError(
            f"{name} is a model for {loaded.manifest.task!r}, not for relations; "
            "train one with a recipe whose task.name is 'relations'"
        )
    if not any(first & known and second & known for first, second in _labels(task)):
        wanted = "; ".join(" and ".join(pair.names) for pair in task.pairs)
        raise BadInputError(
            f"{name} relates {wanted}; the entities found are {', '.join(sorted(known)) or 'none'}"
            ": name the labels behind its types under [task.types] and train it anew"
        )
    return loaded


def finds_relations(task: Task) -> bool:
    """Whether the task's answers are relations of entities that are there already."""
    return isinstance(task, RelationExtraction)


def whole_relations(document: Document) -> Document:
    """The document without relations whose mentions are gone."""
    known = {entity.id for entity in document.entities}

    def is_whole(relation: Relation) -> bool:
        return all(one.kind == "concept" or one.target in known for one in relation.arguments)

    return replace(document, relations=tuple(filter(is_whole, document.relations)))


def _labels(task: RelationExtraction) -> list[tuple[frozenset[str], frozenset[str]]]:
    return [pair.labels for pair in task.pairs]
