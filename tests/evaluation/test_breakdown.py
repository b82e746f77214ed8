"""Recall by kinds of mentions, counted by hand."""

from biobert.core.document import Document, Entity
from biobert.evaluation.breakdown import Recall, break_down

TEXT = "Gout and acute renal failure came. Gout went."
GOLD = Document(
    "d",
    TEXT,
    entities=(Entity(0, 4, "D"), Entity(9, 28, "D"), Entity(35, 39, "D")),
    annotated_labels=("D",),
)
FOUND = GOLD.with_entities([Entity(0, 4, "D"), Entity(15, 28, "D")])
TRAINING = [Document("t", "gout. Gout.", entities=(Entity(0, 4, "D"), Entity(6, 10, "D")))]


def test_kinds_are_counted_as_they_are() -> None:
    found = break_down([GOLD], [FOUND], TRAINING)
    assert found.mention_words == (Recall("1", 1, 2), Recall("3", 0, 1))
    assert found.sentence_words == (Recall("1 to 15", 1, 3),)
    assert found.training_mentions == (Recall("0", 0, 1), Recall("2 to 5", 1, 2))
    assert found.mention_words[0].share == 0.5
