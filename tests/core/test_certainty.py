"""How certain a model is: worked out by hand for each kind of head."""

import numpy as np
import pytest

from biobert.core.annotate import part_of
from biobert.core.certainty import certainty_of
from biobert.core.document import Document, Entity, Passage, Span
from biobert.core.task import HeadSpec, LabelGroup, Window

WINDOW = Window(
    token_ids=np.arange(6),
    segment_ids=np.zeros(6, dtype=np.int64),
    offsets=np.array([[-1, -1], [0, 2], [2, 4], [5, 8], [9, 12], [-1, -1]]),
    words=np.array([-1, 0, 0, 1, 2, -1]),
    owned=slice(1, 4),
)


def log_odds(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def certainty(head: HeadSpec, logits: np.ndarray) -> float:
    return certainty_of([WINDOW], [{head.name: logits.astype(np.float32)}], [head])


def test_of_words_the_least_sure_counts_and_only_first_pieces_that_are_owned() -> None:
    groups = (LabelGroup("A", ("O", "B")), LabelGroup("B", ("O", "B")))
    logits = np.zeros((6, 4))
    logits[1] = [log_odds(0.9), 0, 0, log_odds(0.8)]
    logits[3] = [log_odds(0.7), 0, log_odds(0.95), 0]
    assert certainty(HeadSpec("tags", "token", groups), logits) == pytest.approx(0.7)


def test_of_a_text_its_label_counts() -> None:
    groups = (LabelGroup("topic", ("a", "b")),)
    logits = np.array([log_odds(0.6), 0.0])
    assert certainty(HeadSpec("topic", "sequence", groups), logits) == pytest.approx(0.6)
    binary = HeadSpec("topic", "sequence", groups, loss="binary")
    logits = np.array([log_odds(0.1), log_odds(0.75)])
    assert certainty(binary, logits) == pytest.approx(0.75)


def test_of_a_span_its_ends_count_and_numbers_are_certain() -> None:
    logits = np.full((6, 2), -50.0)
    logits[1, 0], logits[2, 0], logits[4, 1] = log_odds(0.8), 0.0, 5.0
    assert certainty(HeadSpec("span", "span"), logits) == pytest.approx(0.8, abs=1e-4)
    number = HeadSpec("n", "sequence", (LabelGroup("n", ("n",)),), loss="squared-error")
    assert certainty(number, np.array([3.0])) == 1.0
    assert certainty_of([], [], [number]) == 1.0


def test_a_part_of_a_document_stands_alone() -> None:
    document = Document(
        "d",
        "Title. Aspirin helps. Gout hurts.",
        passages=(Passage(0, 6, "title"), Passage(7, 33, "abstract")),
        entities=(Entity(7, 14, "Drug"), Entity(22, 26, "Disease")),
        sentences=(Span(0, 6), Span(7, 21), Span(22, 33)),
    )
    part = part_of(document, 7, 21)
    assert part.text == "Aspirin helps."
    assert part.id == "d:7-21"
    assert [part.mention(one) for one in part.entities] == ["Aspirin"]
    assert part.sentences == (Span(0, 14),)
    assert [one.kind for one in part.passages] == ["abstract"]
