"""Scores of relations: a relation counts when its label and both its arguments agree.

An argument is a mention, by its place and type, or a concept, by its identifier. Their order says
nothing: types tell the roles, and where both types are the same the relation has no direction.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import product

from biobert.core.document import Argument, Document, Entity
from biobert.core.errors import BadInputError
from biobert.core.task import Scores
from biobert.evaluation.spans import Mention, macro_average, mention_key, score_from_counts

Ends = frozenset[str | Mention]
"""The arguments of a relation: concepts by their identifiers, mentions."""
Key = tuple[str, Ends]
"""A relation's label and ends: equal where the relation is."""


def score_relations(
    gold: Sequence[Collection[Key]],
    predicted: Sequence[Collection[Key]],
    labels: Sequence[str],
    *,
    candidates: Sequence[Collection[Ends]],
) -> Scores:
    """Scores over the relations of these labels, document by document in the same order.

    `main` is the micro F1. `candidates` are the ends that were weighed in each document: gold
    relations outside them count as missed, and `details["uncovered"]` says how many they are. A
    predicted relation of another label is a wrong answer.
    `details["macro_f1"]` averages over labels that occur in gold or prediction, as scikit-learn
    does.
    """
    known = frozenset(labels)
    correct: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    uncovered = 0
    for own, answers, weighed in zip(gold, predicted, candidates, strict=True):
        right, given = known_keys(own, known), frozenset(answers)
        wanted.update(label for label, _ in right)
        found.update(label for label, _ in given)
        correct.update(label for label, _ in right & given)
        uncovered += sum(ends not in weighed for _, ends in right)
    by_label = {
        label: score_from_counts(correct[label], wanted[label], found[label]) for label in labels
    }
    micro = score_from_counts(correct.total(), wanted.total(), found.total())
    macro = macro_average([by_label[label] for label in labels if wanted[label] or found[label]])
    details = {"macro_f1": macro["f1"], "uncovered": uncovered}
    return Scores(micro.f1, micro, by_label, details, amounts=frozenset({"uncovered"}))


def known_keys(keys: Iterable[Key], labels: Collection[str]) -> frozenset[Key]:
    """The relations of these labels, each once."""
    return frozenset(key for key in keys if key[0] in labels)


def relation_keys(document: Document) -> frozenset[Key]:
    """The document's relations as keys; one of concepts with several identifiers (`a|b`) for each.

    An argument that points at no entity of the document is an error.
    """
    by_id = {entity.id: entity for entity in document.entities if entity.id}
    return frozenset(
        (relation.label, frozenset(ends))
        for relation in document.relations
        for ends in product(*(_names(document, one, by_id) for one in relation.arguments))
    )


def _names(
    document: Document, argument: Argument, by_id: dict[str, Entity]
) -> Iterator[str | Mention]:
    if argument.kind == "concept":
        yield from argument.target.split("|")
    elif argument.target in by_id:
        yield mention_key(by_id[argument.target])
    else:
        raise BadInputError(
            f"document {document.id!r}: a relation points at entity {argument.target!r}, "
            "which the document lacks"
        )
