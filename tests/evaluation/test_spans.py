"""Entity scores equal seqeval's strict IOB2, to the last digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.evaluation.spans import score_entities, score_tags, tag_entities

TAGS = ["O", "B-Gene", "I-Gene", "B-Disease", "I-Disease"]
pairs = st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=12)


# seqeval divides by zero where a label has no prediction, and says so.
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@given(st.lists(pairs, min_size=1, max_size=5))
def test_tag_scores_are_those_of_seqeval(sentences: list[list[tuple[str, str]]]) -> None:
    gold = [[one for one, _ in sentence] for sentence in sentences]
    predicted = [[other for _, other in sentence] for sentence in sentences]
    if not any("-" in tag for tags in gold + predicted for tag in tags):
        return
    micro, by_label = score_tags(gold, predicted)
    if any(tag_entities(tags) for tags in gold + predicted):
        expected = precision_recall_fscore_support(
            gold, predicted, average="micro", scheme=IOB2, zero_division=0
        )
        assert (micro.precision, micro.recall, micro.f1) == pytest.approx(expected[:3], abs=1e-15)
    each = precision_recall_fscore_support(
        gold, predicted, average=None, scheme=IOB2, zero_division=0
    )
    named = sorted({tag[2:] for tags in gold + predicted for tag in tags if tag != "O"})
    for name, precision, recall, f1, support in zip(named, *each, strict=False):
        if name in by_label:
            one = by_label[name]
            assert (one.precision, one.recall, one.support) == (precision, recall, support)
            assert one.f1 == pytest.approx(f1, abs=1e-15)


def document(*entities: Entity, text: str = "lithium caused cardiac arrest") -> Document:
    return Document("1", text, entities=entities)


def test_boundary_and_type_must_both_agree() -> None:
    gold = document(Entity(0, 7, "Chemical"), Entity(15, 29, "Disease"))
    predicted = document(
        Entity(0, 7, "Disease"), Entity(15, 29, "Disease"), Entity(8, 14, "Chemical")
    )
    scores = score_entities([gold], [predicted], ["Chemical", "Disease"])
    assert scores.micro.precision == pytest.approx(1 / 3)
    assert scores.micro.recall == 0.5
    assert scores.by_label["Chemical"].f1 == 0.0
    assert scores.by_label["Disease"].recall == 1.0
    assert scores.details["macro"]["recall"] == 0.5


def test_labels_that_are_not_asked_for_do_not_count() -> None:
    gold = document(Entity(0, 7, "Chemical"))
    predicted = document(Entity(0, 7, "Chemical"), Entity(15, 29, "Disease"))
    assert score_entities([gold], [predicted], ["Chemical"]).main == 1.0


def test_other_texts_are_refused() -> None:
    with pytest.raises(BadInputError, match="differ in text"):
        score_entities([document()], [document(text="another")], ["Gene"])
    with pytest.raises(BadInputError, match="1 gold documents but 2"):
        score_entities([document()], [document(), document()], ["Gene"])
