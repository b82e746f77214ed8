"""Every mention lands in one kind of error."""

from biobert.core.document import Document, Entity
from biobert.evaluation.errors import error_table

TEXT = "familial breast cancer, TP53, lithium and aspirin"
LABELS = ["Disease", "Gene", "Chemical"]
GOLD = Document(
    "1",
    TEXT,
    entities=(
        Entity(0, 22, "Disease"),
        Entity(24, 28, "Gene"),
        Entity(30, 37, "Chemical"),
        Entity(42, 49, "Chemical"),
    ),
)
PREDICTED = Document(
    "1",
    TEXT,
    entities=(
        Entity(9, 22, "Disease"),
        Entity(24, 28, "Disease"),
        Entity(30, 37, "Chemical"),
        Entity(38, 41, "Chemical"),
    ),
)


def test_kinds_of_errors_and_seen_mentions() -> None:
    table = error_table([GOLD], [PREDICTED], LABELS, seen=["Lithium", "TP53"])
    assert table.counts == {
        "correct": 1,
        "wrong boundary": 1,
        "wrong type": 1,
        "missed": 1,
        "spurious": 1,
    }
    assert table.examples["missed"] == ["aspirin (Chemical, 1)"]
    assert (table.recall_seen, table.recall_unseen) == (0.5, 0.0)


def test_a_mention_inside_one_of_a_wrong_type_is_missed() -> None:
    gold = Document("1", TEXT, entities=(Entity(0, 22, "Disease"), Entity(9, 15, "Gene")))
    table = error_table(
        [gold], [Document("1", TEXT, entities=(Entity(0, 22, "Chemical"),))], LABELS
    )
    assert (table.counts["wrong type"], table.counts["missed"]) == (1, 1)


def test_without_training_mentions_nothing_is_said_of_them() -> None:
    table = error_table([GOLD], [GOLD], ["Gene"])
    assert table.counts["correct"] == 1
    assert table.recall_seen is None
