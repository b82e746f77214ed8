"""Several tasks on one encoder: who is taught by what, and what is answered together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from biobert.core.annotate import annotate_documents
from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.core.passages import pair_document
from biobert.core.questions import question_document
from biobert.core.task import IGNORED, Outputs, Window
from biobert.evaluation.relations import relation_keys
from biobert.tasks.multitask import PART, Multitask, PartPredictor
from tests.tiny import tiny_tokenizer

NAMES = {"name": "ner", "labels": ["Chemical", "Disease"]}
TOPICS = {"name": "classification", "labels": ["heart", "cancer"], "choice": "many"}
PAIRS = {
    "name": "relations",
    "labels": ["treats"],
    "negative": "none",
    "pairs": [["Chemical", "Disease"]],
}
LITHIUM = Document(
    "lithium",
    "Lithium caused cardiac arrest.",
    entities=(Entity(0, 7, "Chemical"), Entity(15, 29, "Disease")),
    annotated_labels=("Chemical", "Disease"),
)
BREAST = Document("breast", "Breast cancer and the cardiac arrest.", labels=("heart", "cancer"))
TOKENIZER = tiny_tokenizer()


def both(**parts: dict[str, Any]) -> Multitask:
    return Multitask.from_settings({"parts": parts or {"names": NAMES, "topics": TOPICS}})


def for_part(document: Document, part: str) -> Document:
    return replace(document, metadata={PART: part})


class Counting:
    """A predictor that says "none of it" and remembers what it was asked."""

    def __init__(self, task: Multitask) -> None:
        self.task = task
        self.asked: list[Window] = []

    def predict(self, windows: Sequence[Window]) -> list[Outputs]:
        self.asked += windows
        return [
            {
                head.name: np.zeros(
                    (len(window), head.width) if head.kind == "token" else head.width,
                    dtype=np.float32,
                )
                for head in self.task.heads()
            }
            for window in windows
        ]


class Answering(Counting):
    """The same where heads answer at every token for spans too."""

    def predict(self, windows: Sequence[Window]) -> list[Outputs]:
        """Zeros of the shapes of all heads."""
        return [
            {
                head.name: np.zeros(
                    (len(window), head.width) if head.is_by_token else head.width, dtype=np.float32
                )
                for head in self.task.heads()
            }
            for window in windows
        ]


def test_a_document_teaches_its_own_part_alone() -> None:
    task = both()
    (example,) = task.examples(for_part(LITHIUM, "names"))
    (windows,) = task.encode([example], TOKENIZER)
    (targets,) = task.targets(example, windows)
    assert (targets["topics-labels"] == IGNORED).all()
    assert (targets["names-tags"] != IGNORED).any()
    (example,) = task.examples(for_part(BREAST, "topics"))
    (windows,) = task.encode([example], TOKENIZER)
    (targets,) = task.targets(example, windows)
    assert (targets["names-tags"] == IGNORED).all()
    assert targets["topics-labels"].tolist() == [1, 1]


def test_parts_that_read_the_same_row_share_its_pass() -> None:
    again = {**NAMES, "labels": ["Disease"]}
    task = both(names=NAMES, diseases=again, topics={**TOPICS, "windows": NAMES.get("windows", {})})
    predictor = Counting(task)
    documents = [Document("1", "Lithium caused cardiac arrest."), Document("2", "Aspirin did not.")]
    found = annotate_documents(documents, task=task, tokenizer=TOKENIZER, predictor=predictor)
    assert [one.id for one in found] == ["1", "2"]
    # One sentence is a whole text here: three parts, one row for each text.
    assert len(predictor.asked) == 2
    some, predictor = task.only(["names", "diseases"]), Counting(task)
    found = annotate_documents(documents, task=some, tokenizer=TOKENIZER, predictor=predictor)
    assert len(predictor.asked) == 2 and not any(one.label_scores for one in found)


def test_a_part_alone_asks_with_the_rows_of_all() -> None:
    """A network that reads marks needs them in every row."""
    task = both(names=NAMES, pairs=PAIRS, topics=TOPICS)
    for part in task.parts:
        predictor = Counting(task)
        alone, asked = task.parts[part], PartPredictor(predictor, task, part)
        annotate_documents([LITHIUM], task=alone, tokenizer=TOKENIZER, predictor=asked)
        assert [len(one.marks) for one in predictor.asked] == [2]


def test_answers_are_put_together_and_entities_that_nobody_touches_stay() -> None:
    task = both()
    # Gold labels are no answers, and neither hide one nor pass for one.
    labelled = replace(LITHIUM, labels=("heart", "cancer"), label_scores={"old": 1.0})
    examples = task.examples(labelled)
    windows = task.encode(examples, TOKENIZER)
    outputs = [
        [
            {
                "names-tags": np.where(
                    np.arange(6) % 3 == 0, 9.0, np.zeros((len(window), 6))
                ).astype(np.float32),
                "topics-labels": np.array([5.0, -5.0], dtype=np.float32),
            }
            for window in parts
        ]
        for parts in windows
    ]
    found = task.decode(labelled, windows, outputs)
    assert found.labels == ("heart",)
    assert found.label_scores.keys() == {"heart", "cancer"}
    assert found.label_scores["cancer"] < 0.01
    # The names' part finds nothing, and says so: the old entities are gone.
    assert found.entities == ()
    only = both(topics=TOPICS)
    examples = only.examples(LITHIUM)
    windows = only.encode(examples, TOKENIZER)
    assert only.decode(LITHIUM, windows, outputs[-1:]).entities == LITHIUM.entities


def test_a_second_annotation_finds_what_the_first_did() -> None:
    task = both(names=NAMES, others={"name": "ner", "labels": ["Gene"]})
    document = Document("1", "lithium")
    windows = task.encode(task.examples(document), TOKENIZER)
    tags = np.tile(np.array([9, 0, 0, 9, 0, 0], dtype=np.float32), (3, 1))
    tags[1, 1] = 20.0
    outputs = [[{"names-tags": tags, "others-tags": tags[:, 3:]}] for _ in windows]
    found = task.decode(document, windows, outputs)
    assert [one.label for one in found.entities] == ["Chemical"]
    assert task.decode(found, windows, outputs) == found


@pytest.mark.parametrize("names", [("a", "b"), (None, None)])
def test_the_ends_of_relations_stay_beside_the_names_found(names: tuple[str | None, ...]) -> None:
    task = both(names=NAMES, pairs=PAIRS)
    given = [replace(one, id=name) for one, name in zip(LITHIUM.entities, names, strict=True)]
    document = LITHIUM.with_entities(given)
    windows = task.encode(task.examples(document), TOKENIZER)
    row = windows[0][0]
    lithium, cardiac = (np.flatnonzero(row.offsets[:, 0] == place)[0] for place in (0, 15))
    tags = np.tile(np.array([9, 0, 0, 9, 0, 0], dtype=np.float32), (len(row), 1))
    tags[lithium, 1] = tags[cardiac, 4] = 20.0
    answers = {}
    for related in (9.0, -9.0):
        relation = np.array([0.0, related], dtype=np.float32)
        outputs = [[{"names-tags": tags, "pairs-relation": relation}] for _ in windows]
        answers[related] = task.decode(document, windows, outputs)
    assert [answers[-9.0].mention(one) for one in answers[-9.0].entities] == ["Lithium", "cardiac"]
    found = answers[9.0]
    assert [(found.mention(one), one.label) for one in found.entities] == [
        ("Lithium", "Chemical"),
        ("cardiac", "Disease"),
        ("cardiac arrest", "Disease"),
    ]
    assert found.entities[0].score == answers[-9.0].entities[0].score
    (treats,) = found.relations
    ends = [found.argument_text(one) for one in treats.arguments]
    assert ends == ["Lithium", "cardiac arrest"]
    assert len(relation_keys(found)) == 1


def test_many_documents_of_different_parts_are_decoded_as_each_alone() -> None:
    task, chance = both(), np.random.default_rng(1)
    documents = [for_part(BREAST, "topics"), LITHIUM, for_part(LITHIUM, "names"), BREAST]
    windows = [task.encode(task.examples(one), TOKENIZER) for one in documents]
    shapes = {"names-tags": 6, "topics-labels": 2}
    outputs = [
        [
            [
                {
                    name: chance.normal(
                        size=(len(window), width) if name == "names-tags" else width
                    ).astype(np.float32)
                    for name, width in shapes.items()
                }
                for window in parts
            ]
            for parts in some
        ]
        for some in windows
    ]
    found = task.decode_many(documents, windows, outputs)
    each = zip(documents, windows, outputs, strict=True)
    assert found == [task.decode(*one) for one in each]
    assert found[1].entities and found[1].label_scores
    assert found[0].entities == BREAST.entities and not found[2].label_scores


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"parts": {}}, "parts is empty"),
        ({"parts": {"x": {"labels": ["a"]}}}, r"\[task.parts.x\] setting 'name' is missing"),
        ({"parts": {"x": {"name": 7}}}, r"\[task.parts.x\] setting 'name' is missing"),
        ({"parts": {"x": 5}}, r"\[task.parts\] x = 5: expected a table"),
        ({"parts": ["x"]}, "expected a table"),
        ({"parts": {"x": {"name": "multitask", "parts": {"y": NAMES}}}}, "has parts itself"),
        ({"parts": {"a-b": NAMES}}, "letters, digits and _"),
        ({"parts": {"x": {"name": "pretraining"}}}, "'vocabulary' head"),
        ({"parts": {"x": {"name": "nerr"}}}, "did you mean"),
    ],
)
def test_wrong_parts_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        Multitask.from_settings(settings)


def test_a_document_of_no_part_is_not_scored() -> None:
    with pytest.raises(BadInputError, match=r"'lithium' belongs to no part \(names, topics\)"):
        both().score([LITHIUM], [LITHIUM])
    with pytest.raises(BadInputError, match="part 'name'"):
        both().examples(for_part(LITHIUM, "name"))


ASKED = {"name": "qa", "windows": {"maximum_tokens": 64, "overlap_tokens": 8}}
ASKED["maximum_answer_tokens"] = 4
INFERRED = {
    "name": "classification",
    "labels": ["yes", "no"],
    "passages": ["premise", "hypothesis"],
}


def parts_asked(task: Multitask, document: Document) -> list[str]:
    return [one.document.metadata[PART] for one in task.examples(document)]


def test_a_part_passes_over_what_it_cannot_read() -> None:
    task = both(names=NAMES, asked=ASKED, inferred=INFERRED)
    question = question_document("1", "what?", "Lithium and aspirin.")
    pair = pair_document("1", "Lithium.", "Aspirin.", ("premise", "hypothesis"))
    assert set(parts_asked(task, Document("1", "Lithium."))) == {"names"}
    assert set(parts_asked(task, question)) == {"names", "asked"}
    assert set(parts_asked(task, pair)) == {"names", "inferred"}
    predictor = Answering(task)
    documents = [Document("1", "Lithium and aspirin."), question, pair]
    plain, answered, inferred = annotate_documents(
        documents, task=task, tokenizer=TOKENIZER, predictor=predictor
    )
    assert not plain.label_scores and "no-answer" in answered.label_scores
    assert inferred.label_scores.keys() == {"yes", "no"}


def test_a_document_that_no_part_can_read_is_refused() -> None:
    task = both(asked=ASKED, inferred=INFERRED)
    examples = task.examples(Document("7", "Lithium."))
    with pytest.raises(BadInputError, match="'7' needs a passage 'question'"):
        task.encode(examples, TOKENIZER)


def test_training_and_scores_ask_the_part_that_is_named() -> None:
    task = both(names=NAMES, asked=ASKED)
    with pytest.raises(BadInputError, match="needs a passage 'question'"):
        task.encode(task.examples(for_part(Document("7", "Lithium."), "asked")), TOKENIZER)


def test_a_key_of_the_document_is_not_ours() -> None:
    task = both()
    document = replace(LITHIUM, metadata={"part": "introduction"})
    assert parts_asked(task, document) == ["names", "topics"]
    (found,) = annotate_documents(
        [document], task=task, tokenizer=TOKENIZER, predictor=Counting(task)
    )
    assert found.metadata == {"part": "introduction"}
