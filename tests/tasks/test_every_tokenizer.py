"""What can be marked at all, whatever tokenizer the encoder came with."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from biobert.core.document import Document, Entity, Span
from biobert.core.questions import question_document
from biobert.core.task import IGNORED, Outputs, Task
from biobert.tasks import build_task
from biobert.text.tokenizer import Tokenizer
from tests.model.test_hub import TEXT
from tests.tasks.test_ner import spans, task, through_gold_tags
from tests.text.kinds import KINDS

every_tokenizer = pytest.mark.parametrize("tokenizer", KINDS.values(), ids=KINDS)


def mentions(*names: str) -> list[Entity]:
    return [Entity(TEXT.index(one), TEXT.index(one) + len(one), "Disease") for one in names]


def answered(one: Task, document: Document, tokenizer: Tokenizer, seed: int) -> Document:
    """Decode the answers of a generator."""
    generator = np.random.default_rng(seed)
    windows = one.encode(one.examples(document), tokenizer)
    (head,) = one.heads()
    outputs: list[list[Outputs]] = [
        [
            {head.name: generator.normal(size=(len(part), head.width)).astype(np.float32)}
            for part in parts
        ]
        for parts in windows
    ]
    return one.decode(document, windows, outputs)


@every_tokenizer
def test_mentions_that_touch_signs_come_back(tokenizer: Tokenizer) -> None:
    names = ("Lithium", "37 °C", "naïve cardiac arrest", "β", "blockade", "twice")
    document = Document("1", TEXT, entities=tuple(mentions(*names)))
    assert spans(through_gold_tags(task(), document, tokenizer)) == spans(document)
    document = Document("1", TEXT, entities=tuple(mentions("cardiac arrest (β-blockade)")))
    assert spans(through_gold_tags(task(), document, tokenizer)) == spans(document)


@every_tokenizer
@pytest.mark.parametrize("name", ["naïve cardiac arrest", "β", "blockade"])
def test_answers_that_touch_signs_come_back(tokenizer: Tokenizer, name: str) -> None:
    start = TEXT.index(name)
    document = question_document("1", "at?", TEXT, answers=[(start, start + len(name))])
    one = build_task("qa", {})
    (asked,) = one.examples(document)
    ((window,),) = one.encode([asked], tokenizer)
    ((first, last),) = (targets["answer"].tolist() for targets in one.targets(asked, [window]))
    found = window.offsets[first, 0], window.offsets[last, 1]
    assert document.text[slice(*found)] == name


@every_tokenizer
@given(
    text=st.text(alphabet="at (C)-— \n\u2003", max_size=40).filter(str.strip),
    seed=st.integers(0, 9999),
)
@example(text="at  C\n ", seed=1)
def test_no_answer_begins_or_ends_with_white_space(
    tokenizer: Tokenizer, text: str, seed: int
) -> None:
    sentences = (Span(0, len(text)),)
    settings = {"labels": ["A", "B"]}
    documents = {
        build_task("ner", settings): Document("1", text, sentences=sentences),
        build_task("pos", settings): Document("1", text, sentences=sentences),
        build_task("qa", {}): question_document("1", "at", text),
    }
    for one, document in documents.items():
        found = answered(one, document, tokenizer, seed)
        for entity in found.entities:
            assert found.mention(entity) == found.mention(entity).strip()


@every_tokenizer
def test_blanks_are_no_words_to_learn(tokenizer: Tokenizer) -> None:
    text = " at  naïve\n\narrest "
    document = Document("1", text, entities=(Entity(5, 10, "A"),), sentences=(Span(0, len(text)),))
    for name in ("ner", "pos", "sentences"):
        one = build_task(name, {"labels": ["A"]})
        (asked,) = one.examples(document)
        (windows,) = one.encode([asked], tokenizer)
        ((column,),) = (targets.values() for targets in one.targets(asked, windows))
        asked_at = np.flatnonzero(column[:, 0] != IGNORED)
        # The first piece of a word may be the mark of the blank before it.
        assert len(asked_at) == (3 if name == "ner" else 1)


@every_tokenizer
def test_a_pair_at_both_ends_of_a_text_is_marked(tokenizer: Tokenizer) -> None:
    ends = (Entity(0, 7, "Chemical"), Entity(26, 40, "Disease"))
    text = "Lithium, at 37 °C, caused cardiac arrest"
    document = Document("1", text, entities=ends)
    for marking in ("markers", "anonymous"):
        settings = {"labels": ["x"], "negative": "y", "pairs": [["Chemical", "Disease"]]}
        one = build_task("relations", {**settings, "marking": marking})
        ((window,),) = one.encode(one.examples(document), tokenizer)
        inside = window.offsets[window.offsets[:, 0] >= 0]
        assert (inside[:, 0] < inside[:, 1]).all()
        if marking == "markers":
            assert (np.diff(inside, axis=1) < 8).all()
