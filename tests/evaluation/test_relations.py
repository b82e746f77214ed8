"""Relation scores equal scikit-learn's on the labels of pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from biobert.core.document import Argument, Document, Entity, Relation
from biobert.core.errors import BadInputError
from biobert.core.task import Scores
from biobert.evaluation.relations import Ends, relation_keys, score_relations
from biobert.evaluation.spans import mention_key

TEXT = "a b c d e f"
LABELS = ("x", "y", "z")
ENTITIES = tuple(
    Entity(place, place + 1, "Drug", id=f"T{place}") for place in range(0, len(TEXT), 2)
)
PAIRS = [(one, other) for one in ENTITIES for other in ENTITIES if one.start < other.start]
answers = st.lists(
    st.tuples(st.sampled_from((*LABELS, "")), st.sampled_from((*LABELS, ""))),
    min_size=len(PAIRS),
    max_size=len(PAIRS),
)


def document(labels: list[str], *, swapped: tuple[int, ...] = ()) -> Document:
    relations = []
    for number, (label, pair) in enumerate(zip(labels, PAIRS, strict=True)):
        ends = [Argument("Arg", one.id or "") for one in pair]
        if label:
            relations.append(Relation(label, tuple(ends[::-1] if number in swapped else ends)))
    return Document("1", TEXT, entities=ENTITIES, relations=tuple(relations))


EVERY_PAIR = {frozenset(map(mention_key, pair)) for pair in PAIRS}


def scored(gold: Document, predicted: Document, candidates: set[Ends] = EVERY_PAIR) -> Scores:
    keys = [relation_keys(gold)], [relation_keys(predicted)]
    return score_relations(*keys, LABELS, candidates=[candidates])


@given(answers)
def test_scores_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = [one for one, _ in pairs], [other for _, other in pairs]
    found = scored(document(gold), document(predicted))
    expected = precision_recall_fscore_support(
        gold, predicted, labels=list(LABELS), average=None, zero_division=0
    )
    for number, label in enumerate(LABELS):
        one = found.by_label[label]
        for value, wanted in zip((one.precision, one.recall, one.f1), expected[:3], strict=True):
            assert value == pytest.approx(wanted[number], abs=1e-12)
        assert one.support == expected[3][number]
    micro = precision_recall_fscore_support(
        gold, predicted, labels=list(LABELS), average="micro", zero_division=0
    )
    assert (found.micro.precision, found.micro.recall, found.main) == pytest.approx(micro[:3])
    used = sorted({*gold, *predicted} - {""})
    macro = (
        precision_recall_fscore_support(
            gold, predicted, labels=used, average="macro", zero_division=0
        )[2]
        if used
        else 0.0
    )
    assert found.details["macro_f1"] == pytest.approx(macro, abs=1e-12)
    assert found.details["uncovered"] == 0


def test_the_order_of_arguments_says_nothing() -> None:
    labels = ["x"] * len(PAIRS)
    gold, predicted = document(labels), document(labels, swapped=(1, 3))
    assert scored(gold, predicted).main == 1.0


def test_gold_outside_the_candidates_is_missed_and_counted() -> None:
    gold = document(["x"] * len(PAIRS))
    predicted = document(["x", "x"] + [""] * (len(PAIRS) - 2))
    scores = scored(gold, predicted, {frozenset(map(mention_key, pair)) for pair in PAIRS[:2]})
    assert scores.micro.precision == 1.0
    assert scores.micro.recall == pytest.approx(2 / len(PAIRS))
    assert scores.details["uncovered"] == len(PAIRS) - 2


def test_a_concept_with_several_identifiers_counts_for_each() -> None:
    def cid(chemical: str) -> Relation:
        ends = (Argument("Arg1", chemical, "concept"), Argument("Arg2", "mesh:D3", "concept"))
        return Relation("x", ends)

    gold = Document("1", TEXT, relations=(cid("mesh:D1|mesh:D2"),))
    predicted = Document("1", TEXT, relations=(cid("mesh:D2"),))
    scores = scored(gold, predicted)
    assert (scores.micro.precision, scores.micro.recall) == (1.0, 0.5)


def test_an_argument_that_is_not_there_is_named() -> None:
    ends = (Argument("Arg1", "T0"), Argument("Arg2", "T99"))
    broken = Document("7", TEXT, entities=ENTITIES, relations=(Relation("x", ends),))
    with pytest.raises(BadInputError, match=r"document '7'.*'T99', which the document lacks"):
        relation_keys(broken)
