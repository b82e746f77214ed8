"""How certain a model is: worked out by hand for each kind of head."""

from dataclasses import replace

import numpy as np
import pytest

from biobert.core.annotate import answer_documents, part_of
from biobert.core.certainty import certainty_of, has_certainty
from biobert.core.document import Document, Entity, Passage, Span
from biobert.core.questions import question_document
from biobert.core.task import Example, HeadSpec, LabelGroup, Outputs, Task, Window
from biobert.core.words import owned_words
from biobert.tasks import build_task
from tests.tiny import tiny_tokenizer

WINDOW = Window(
    token_ids=np.arange(6),
    segment_ids=np.zeros(6, dtype=np.int64),
    offsets=np.array([[-1, -1], [0, 2], [2, 4], [5, 8], [9, 12], [-1, -1]]),
    words=np.array([-1, 0, 0, 1, 2, -1]),
    owned=slice(1, 4),
)


def log_odds(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


class Plain:
    """A task that answers what is likeliest."""

    def __init__(self, head: HeadSpec) -> None:
        self._head = head

    def heads(self) -> tuple[HeadSpec, ...]:
        return (self._head,)

    def heads_of(self, example: Example) -> tuple[HeadSpec, ...]:
        return self.heads()

    def corrected(self, output: Outputs) -> Outputs:
        return output

    decided = corrected


class Saying:
    """A predictor that says the same to every window, or one thing after another."""

    def __init__(self, head: str, *logits: list[float] | np.ndarray) -> None:
        self._outputs = [{head: np.array(one, dtype=np.float32)} for one in logits]

    def predict(self, windows: list[Window]) -> list[Outputs]:
        return [self._outputs[number % len(self._outputs)] for number in range(len(windows))]


def certainty(head: HeadSpec, *logits: np.ndarray) -> float:
    outputs = [{head.name: one.astype(np.float32)} for one in logits]
    windows = [WINDOW] * len(outputs)
    document = Document("d", "a")
    example = Example(document, 0, 1)
    return certainty_of(Plain(head), example, windows, outputs, document)  # type: ignore[arg-type]


def answered(document: Document, task: Task, predictor: Saying) -> tuple[Document, float]:
    (one,) = answer_documents(
        [document], task=task, tokenizer=tiny_tokenizer(), predictor=predictor
    )
    return one.document, one.certainty


def test_of_words_the_least_sure_counts_and_only_first_pieces_that_are_owned() -> None:
    groups = (LabelGroup("A", ("O", "B")), LabelGroup("B", ("O", "B")))
    logits = np.zeros((6, 4))
    logits[1] = [log_odds(0.9), 0, 0, log_odds(0.8)]
    logits[3] = [log_odds(0.7), 0, log_odds(0.95), 0]
    assert certainty(HeadSpec("tags", "token", groups), logits) == pytest.approx(0.7)


def test_a_blank_with_a_token_of_its_own_is_no_word() -> None:
    blank = replace(WINDOW, offsets=np.where(np.arange(6)[:, None] == 2, 2, WINDOW.offsets))
    blank = replace(blank, words=np.array([-1, 0, 1, 2, 3, -1]))
    assert owned_words([blank]).positions.tolist() == [1, 3]
    head = HeadSpec("tags", "token", (LabelGroup("A", ("O", "B")),))
    logits = np.zeros((6, 2), dtype=np.float32)
    logits[[1, 3], 0] = log_odds(0.9)
    document = Document("d", "a")
    sure = certainty_of(
        Plain(head),  # type: ignore[arg-type]
        Example(document, 0, 1),
        [blank],
        [{"tags": logits}],
        document,
    )
    assert sure == pytest.approx(0.9)


def test_of_several_tasks_each_example_is_judged_by_the_heads_of_its_own() -> None:
    names = {"name": "ner", "labels": ["Disease"]}
    task = build_task(
        "multitask", {"parts": {"names": names, "topics": {**names, "labels": ["Gene"]}}}
    )
    document = Document("d", "lithium")
    (one, other) = task.examples(document)
    ((window,), _) = task.encode([one, other], tiny_tokenizer())
    # At the same token: sure that there is no disease, unsure of a gene.
    sure = np.tile(np.array([9.0, 0, 0], dtype=np.float32), (len(window), 1))
    outputs = [{"names-tags": sure, "topics-tags": 0 * sure}]
    assert certainty_of(task, one, [window], outputs, document) > 0.999
    assert certainty_of(task, other, [window], outputs, document) == pytest.approx(1 / 3)


def test_of_a_text_its_label_counts() -> None:
    groups = (LabelGroup("topic", ("a", "b")),)
    logits = np.array([log_odds(0.6), 0.0])
    assert certainty(HeadSpec("topic", "sequence", groups), logits) == pytest.approx(0.6)
    binary = HeadSpec("topic", "sequence", groups, loss="binary")
    logits = np.array([log_odds(0.1), log_odds(0.75)])
    assert certainty(binary, logits) == pytest.approx(0.75)


def test_windows_that_disagree_make_no_sure_answer() -> None:
    groups = (LabelGroup("topic", ("a", "b")),)
    one, other = np.array([4.0, 0.0]), np.array([0.0, 3.0])
    assert certainty(HeadSpec("topic", "sequence", groups), one, other) == pytest.approx(
        1 / (1 + np.exp(-0.5))
    )
    binary = HeadSpec("topic", "sequence", groups, loss="binary")
    assert certainty(binary, one, other) == pytest.approx(1 / (1 + np.exp(-3.0)))


def test_numbers_vectors_and_texts_have_no_certainty() -> None:
    number = HeadSpec("n", "sequence", (LabelGroup("n", ("n",)),), loss="squared-error")
    assert certainty(number, np.array([3.0])) == 1.0
    assert certainty(number) == 1.0
    assert not any(map(has_certainty, (number, HeadSpec("v", "vector"), HeadSpec("t", "text"))))
    assert has_certainty(HeadSpec("q", "span"))


def test_a_label_counts_as_its_threshold_gives_it() -> None:
    task = build_task(
        "classification",
        {"labels": ["A", "B"], "choice": "many", "thresholds": {"A": 0.05, "B": 0.5}},
    )
    document, sure = answered(
        Document("1", "Aspirin."), task, Saying("labels", [log_odds(0.08), log_odds(0.01)])
    )
    assert document.labels == ("A",)
    assert sure == pytest.approx(0.08, abs=1e-6)


def test_a_relation_counts_as_it_is_corrected() -> None:
    task = build_task(
        "relations",
        {
            "labels": ["CID"],
            "negative": "none",
            "pairs": [["Chemical", "Disease"]],
            "negatives": 0.05,
        },
    )
    document = Document(
        "1",
        "Aspirin causes diabetes.",
        entities=(Entity(0, 7, "Chemical"), Entity(15, 23, "Disease")),
    )
    found, sure = answered(document, task, Saying("relation", [-1.5, 1.5]))
    assert sure == pytest.approx(found.relations[0].score, abs=1e-6)
    assert sure < 0.51


@pytest.mark.parametrize("margin", [None, 0.0])
def test_of_a_question_the_answer_that_is_given_counts(margin: float | None) -> None:
    task = build_task("qa", {"no_answer_margin": margin})
    question = question_document("1", "What was given?", "Lithium and the aspirin.")
    (window,) = task.encode(task.examples(question), tiny_tokenizer())[0]
    logits = np.zeros((len(window), 2))
    logits[0] = 9.0
    document, sure = answered(question, task, Saying("answer", logits))
    nothing = document.label_scores["no-answer"]
    assert nothing > 0.99
    # Without a margin every question gets an answer, however unlikely.
    assert sure == pytest.approx(document.entities[0].score if margin is None else nothing)


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
