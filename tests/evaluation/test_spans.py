"""Entity scores equal seqeval's strict IOB2, to the last digit."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2, Entities

from biobert.core.document import Document, Entity, Span
from biobert.core.errors import BadInputError
from biobert.evaluation.breakdown import Recall, break_down
from biobert.evaluation.errors import error_table
from biobert.evaluation.significance import sentence_counts
from biobert.evaluation.spans import annotated_alone, mention_key, score_entities

TAGS = ["O", "B-Gene", "I-Gene", "B-Disease", "I-Disease"]
pairs = st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=12)


def tagged(number: int, tags: Sequence[str]) -> Document:
    """A document of one-letter words, whose entities are those of its strict IOB2 tags."""
    entities = [
        Entity(2 * chunk.start, 2 * chunk.end - 1, chunk.tag)
        for chunk in Entities([list(tags)], IOB2).entities[0]
    ]
    return Document(str(number), " ".join("w" * len(tags)), entities=tuple(entities))


# seqeval divides by zero where a label has no prediction, and says so.
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@given(st.lists(pairs, min_size=1, max_size=5))
def test_entity_scores_are_those_of_seqeval(sentences: list[list[tuple[str, str]]]) -> None:
    gold = [[one for one, _ in sentence] for sentence in sentences]
    predicted = [[other for _, other in sentence] for sentence in sentences]
    named = sorted({tag[2:] for tags in gold + predicted for tag in tags if tag.startswith("B")})
    if not named:
        return
    scores = score_entities(
        *([tagged(n, tags) for n, tags in enumerate(side)] for side in (gold, predicted)),
        ["Disease", "Gene"],
    )

    def expected(average: str | None) -> Any:
        return precision_recall_fscore_support(
            gold, predicted, average=average, scheme=IOB2, zero_division=0
        )

    micro, macro = scores.micro, scores.details["macro"]
    assert (micro.precision, micro.recall, micro.f1) == pytest.approx(
        expected("micro")[:3], abs=1e-15
    )
    each = dict(zip(named, zip(*expected(None), strict=True), strict=True))
    for name, (precision, recall, f1, support) in each.items():
        one = scores.by_label[name]
        assert (one.precision, one.recall, one.support) == (precision, recall, support)
        assert one.f1 == pytest.approx(f1, abs=1e-15)
    assert list(macro.values()) == pytest.approx(expected("macro")[:3], abs=1e-15)


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


BREAST = Document(
    "1",
    "breast and ovarian cancer",
    entities=(
        Entity(0, 25, "Disease", fragments=(Span(0, 6), Span(19, 25))),
        Entity(11, 25, "Disease"),
    ),
)
WHOLE = BREAST.with_entities([Entity(0, 25, "Disease"), Entity(11, 25, "Disease")])


def test_a_continuous_mention_is_none_in_pieces() -> None:
    scores = score_entities([BREAST], [WHOLE], ["Disease"])
    assert (scores.micro.precision, scores.micro.recall) == (0.5, 0.5)
    assert score_entities([BREAST], [BREAST], ["Disease"]).main == 1.0
    assert sentence_counts([BREAST], [WHOLE], ["Disease"]).tolist() == [[1, 2, 2]]
    table = error_table([BREAST], [WHOLE], ["Disease"], seen=[])
    assert (table.counts["correct"], table.counts["wrong boundary"]) == (1, 1)
    assert table.counts["missed"] == 0
    assert table.recall_unseen == 0.5
    assert break_down([BREAST], [WHOLE], None).mention_words == (Recall("2", 1, 2),)


def test_one_piece_is_a_continuous_mention() -> None:
    given = Entity(11, 25, "Disease", fragments=(Span(11, 25),))
    assert mention_key(given) == mention_key(BREAST.entities[1])


def test_what_annotators_did_not_look_for_is_no_error() -> None:
    entities = (Entity(0, 7, "Chemical"), Entity(15, 29, "Disease"))
    gold = replace(document(entities[0]), annotated_labels=("Chemical",))
    unknown = replace(gold, annotated_labels=())
    own, found = annotated_alone([gold, unknown], [document(*entities)] * 2)
    assert own == [gold, unknown]
    assert [one.entities for one in found] == [entities[:1], entities]


def test_labels_that_are_not_asked_for_do_not_count() -> None:
    gold = document(Entity(0, 7, "Chemical"))
    predicted = document(Entity(0, 7, "Chemical"), Entity(15, 29, "Disease"))
    assert score_entities([gold], [predicted], ["Chemical"]).main == 1.0


def test_other_texts_are_refused() -> None:
    with pytest.raises(BadInputError, match="differ in text"):
        score_entities([document()], [document(text="another")], ["Gene"])
    with pytest.raises(BadInputError, match="1 gold documents but 2"):
        score_entities([document()], [document(), document()], ["Gene"])
