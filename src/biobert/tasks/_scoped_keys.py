"""What a document relates, in keys that are equal where its relations are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from biobert.core.document import Document, Relation
from biobert.core.errors import BadInputError
from biobert.core.task import Example
from biobert.evaluation.relations import Ends, Key, relation_keys
from biobert.evaluation.spans import mention_key
from biobert.tasks._candidates import stands_for
from biobert.tasks._labels import rename_cure


@dataclass(frozen=True, slots=True)
class ScopedKeys:
    """Keys of relations between mentions in a `sentence`, or between concepts in a `document`.

    `labels` are the relations that a task knows, `negative` what it calls none.
    """

    scope: Literal["sentence", "document"]
    labels: Sequence[str]
    negative: str | None

    def gold(self, document: Document) -> frozenset[Key]:
        """What a corpus says; an error where it is none of the task's relations."""
        for relation in document.relations:
            if relation.label not in (*self.labels, self.negative):
                raise BadInputError(
                    f"document {document.id!r}: relation {relation.label!r} is none of the task's "
                    f"({', '.join(self.labels)}); {rename_cure(relation.label)}"
                )
        return relation_keys(self._in_scope(document))

    def answers(self, document: Document) -> frozenset[Key]:
        """What a system says, which may know other labels: wrong answers, and no bad corpus."""
        keys = relation_keys(self._in_scope(document))
        return frozenset(key for key in keys if key[0] != self.negative)

    def ends(self, example: Example) -> Ends:
        """What a relation of an example's arguments would be between."""
        return frozenset(
            mentions[0].concept_ids[0]
            if self.scope == "document" and mentions[0].concept_ids
            else mention_key(mentions[0])
            for mentions in example.arguments
        )

    def _in_scope(self, document: Document) -> Document:
        """The document with its relations between what the task pairs: mentions, or concepts."""
        document = document.with_entity_ids()
        relations = []
        for relation in document.relations:
            self._check_arguments(document, relation)
            arguments = relation.arguments
            if self.scope == "document":
                arguments = tuple(stands_for(one, document) for one in arguments)
            relations.append(replace(relation, arguments=arguments))
        return replace(document, relations=tuple(relations))

    def _check_arguments(self, document: Document, relation: Relation) -> None:
        kinds = {argument.kind for argument in relation.arguments}
        if self.scope == "sentence" and "concept" in kinds:
            raise BadInputError(
                f"document {document.id!r}: relation {relation.label!r} is between concepts, "
                "and the task pairs mentions; set task.scope = 'document'"
            )
