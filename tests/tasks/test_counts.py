"""Where a task counts, document by document, intervals are those of scoring whole documents."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from biobert.core.document import Document
from biobert.core.task import Task
from biobert.evaluation.significance import (
    PairedCounts,
    PairedDocuments,
    approximate_randomisation,
    bootstrap_documents,
    bootstrap_interval,
    paired_bootstrap,
)
from biobert.tasks.classification import Classification, ClassificationSettings
from tests.tasks.relation_cases import task as relations

ANSWERS = (("yes",), ("no",), ("yes", "no"), (), ("foreign",), ("yes", "foreign"))


def classification(**settings: object) -> Classification:
    return Classification(ClassificationSettings(("yes", "no"), **settings))  # type: ignore[arg-type]


def related(count: int) -> tuple[list[Document], list[Document]]:
    """Toys of relations, and answers: right, none, and of labels known and unknown."""
    toys = relations().toy_documents()
    gold = [replace(toys[number % 3], id=str(number)) for number in range(count)]
    labels = ("INHIBITOR", "BINDS", "none")
    found = [
        replace(
            one,
            relations=tuple(
                replace(some, label=labels[number % 4 - 1]) for some in toys[0].relations
            )
            if number % 4
            else one.relations,
        )
        for number, one in enumerate(gold)
    ]
    return gold, found


def labelled(count: int, answers: Sequence[tuple[str, ...]]) -> list[Document]:
    return [Document(str(n), "x", labels=answers[n % len(answers)]) for n in range(count)]


CASES = {
    "relations": (relations(), *related(24)),
    "one label": (classification(), labelled(24, ANSWERS[:2]), labelled(24, ANSWERS[:5])),
    "many labels": (
        classification(choice="many"),
        labelled(24, ANSWERS[:4]),
        labelled(24, ANSWERS[1:]),
    ),
}


@pytest.mark.parametrize(("task", "gold", "found"), CASES.values(), ids=CASES)
def test_counts_give_the_intervals_of_whole_documents(
    task: Task, gold: list[Document], found: list[Document]
) -> None:
    def random() -> np.random.Generator:
        return np.random.default_rng(5)

    counts, whole = task.counts(gold, found), task.counts(gold, gold)
    assert counts is not None
    assert whole is not None
    interval = bootstrap_interval(counts, random(), samples=50)
    slow = bootstrap_documents(gold, found, task.score, random(), samples=50)
    assert (interval.low, interval.high) == pytest.approx((slow.low, slow.high))
    assert 0 < interval.low < interval.high < 1
    units = PairedCounts(counts, whole), PairedDocuments(gold, found, gold, task.score)
    quick, same = (paired_bootstrap(one, random(), samples=50).interval for one in units)
    assert (quick.low, quick.high) == pytest.approx((same.low, same.high))
    p, same_p = (approximate_randomisation(one, random(), samples=50) for one in units)
    assert p == same_p


def test_a_macro_f1_is_counted_by_nothing() -> None:
    gold = labelled(4, ANSWERS[:2])
    assert classification(measure="macro").counts(gold, gold) is None
