"""Cloze: patterns, their rows, verbalisers, and how answers come about."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biobert.core.document import Document, Passage
from biobert.core.errors import BadInputError
from biobert.core.task import Window
from biobert.tasks import build_task
from biobert.tasks._patterns import read_pattern
from biobert.tasks.cloze import HEAD, Cloze
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
MASK_ID = TOKENIZER.special("mask")
LABELS = ["heart", "cancer"]
WORDS = {"heart": ["cardiac", "arrest"], "cancer": ["breast"]}


def task(pattern: str = "{text} the [MASK].", **changed: Any) -> Cloze:
    values = {"labels": LABELS, "pattern": pattern, "verbalisers": WORDS, **changed}
    return Cloze.from_settings(values)


def short(pattern: str, tokens: int, overlap: int = 2) -> Cloze:
    return task(pattern, windows={"maximum_tokens": tokens, "overlap_tokens": overlap})


def encoded(one: Cloze, document: Document) -> tuple[Window, ...]:
    (windows,) = one.encode(one.examples(document), TOKENIZER)
    return windows


def of_kinds(**texts: str) -> Document:
    """A document of these passages, a line each."""
    text, passages = "", []
    for kind, words in texts.items():
        passages.append(Passage(len(text), len(text) + len(words), kind))
        text += f"{words}\n"
    return Document("7", text, passages=tuple(passages), labels=("heart",))


def shown(window: Window) -> list[str]:
    return [str(TOKENIZER.backend.id_to_token(int(one))) for one in window.token_ids]


# Patterns


def test_a_pattern_is_words_fields_and_one_mask_in_order() -> None:
    pattern = read_pattern("{question} [MASK]. {context}")
    assert [(part.kind, part.value) for part in pattern.parts] == [
        ("field", "question"),
        ("mask", "[MASK]"),
        ("words", "."),
        ("field", "context"),
    ]
    assert pattern.fields == ("question", "context")


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("{text} is it", r"0 times \[MASK\]; write it once"),
        ("{text} [MASK] [MASK]", r"2 times \[MASK\]"),
        ("It is [MASK].", "no field"),
        ("{text} [MASK] {text}", "a field stands twice"),
        ("{} [MASK]", "a field without a name"),
        ("{text [MASK]", "no field"),
        ("{text} [MASK] }", "a brace without its partner"),
    ],
)
def test_patterns_that_make_no_sense_are_named(pattern: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        task(pattern)


# Rows


def test_a_row_is_the_filled_pattern_with_the_mask_marked() -> None:
    document = of_kinds(context="breast cancer", question="aspirin")
    (window,) = encoded(task("{question} and [MASK]; {context}"), document)
    assert shown(window) == [
        "[CLS]", "aspirin", "and", "[MASK]", ";", "breast", "cancer", "[SEP]",
    ]  # fmt: skip
    assert window.marks.tolist() == [3]
    assert (window.owned.start, window.owned.stop) == (3, 4)
    assert not window.segment_ids.any()
    # The pattern's own words stand in no document, so nothing hides them.
    none = [-1, -1]
    assert window.offsets.tolist() == [
        none, [14, 21], none, none, none, [0, 6], [7, 13], none,
    ]  # fmt: skip
    assert window.words.tolist() == [-1, 0, -1, -1, -1, 1, 2, -1]


def test_text_is_all_of_it_and_cannot_forge_a_mask() -> None:
    document = Document("1", "the [MASK] and aspirin")
    (window,) = encoded(task("[MASK] {text}"), document)
    assert window.marks.tolist() == [1]
    assert (window.token_ids == MASK_ID).sum() == 1
    assert window.offsets.max() == len(document.text)


def test_a_missing_passage_is_named_and_an_empty_text_has_no_answer() -> None:
    with pytest.raises(BadInputError, match=r"'7' needs a passage 'question'"):
        encoded(task("{question} [MASK]"), of_kinds(context="aspirin"))
    assert task().examples(Document("1", " \n")) == []
    assert task().decode(Document("1", " \n"), [], []).labels == ()


def test_of_a_long_text_each_row_keeps_the_pattern_and_the_shorter_passage() -> None:
    document = of_kinds(question="lithium and aspirin", context="cancer " * 60)
    windows = encoded(short("{question} the [MASK]. {context}", 20), document)
    assert len(windows) > 4
    for window in windows:
        assert shown(window)[:7] == ["[CLS]", "lithium", "and", "aspirin", "the", "[MASK]", "."]
        assert len(window) <= 20


def test_fields_that_make_too_many_windows_are_refused() -> None:
    one = task("{a} the [MASK] {b}")
    long = of_kinds(a="cancer " * 9_000, b="lithium " * 9_000)
    with pytest.raises(BadInputError, match=r"'7': 71 x 71 stretches .* up to 254 tokens"):
        encoded(one, long)
    assert len(encoded(one, of_kinds(a="cancer " * 254, b="lithium " * 9_000))) < 100


field = st.lists(st.sampled_from(["aspirin", "the", "xyz", "diabetes."]), min_size=1, max_size=30)


@settings(deadline=None)
@given(st.tuples(field, field, field), st.integers(16, 40), st.integers(0, 3))
def test_no_piece_is_lost_and_every_row_fits(
    fields: tuple[list[str], list[str], list[str]], tokens: int, overlap: int
) -> None:
    a, b, c = (" ".join(words) for words in fields)
    document = of_kinds(a=a, b=b, c=c)
    windows = encoded(short("{a} the [MASK]: {c} and {b}", tokens, overlap), document)
    (pieces,) = TOKENIZER.pieces([document.text])
    seen: set[tuple[int, int]] = set()
    for window in windows:
        assert len(window) <= tokens
        (mark,) = window.marks
        assert window.token_ids[mark] == MASK_ID
        assert (window.token_ids == MASK_ID).sum() == 1
        assert {"the", ":", "and"} <= set(shown(window))
        real = window.offsets[window.words >= 0].tolist()
        assert len({tuple(one) for one in real}) == len(real)
        seen |= {(int(start), int(end)) for start, end in real}
    assert seen == {(int(start), int(end)) for start, end in pieces.offsets}


def test_a_row_without_room_for_the_fields_is_named() -> None:
    with pytest.raises(BadInputError, match=r"maximum_tokens = 7: the pattern itself takes 6"):
        encoded(short("{a} [MASK] the and and {b}", 7, 1), of_kinds(a="the", b="the"))


# Verbalisers


def test_words_become_pieces_which_settings_keep() -> None:
    one = task()
    assert one.heads()[0].pieces == ()
    known = one.with_tokenizer(TOKENIZER)
    vocabulary = TOKENIZER.backend.get_vocab()
    expected = tuple(tuple(vocabulary[word] for word in WORDS[label]) for label in LABELS)
    (head,) = known.heads()
    assert head.pieces == expected
    assert (head.kind, head.marks, head.width, head.target_width) == ("cloze", 1, 2, 1)
    assert not head.is_by_token
    again = build_task("cloze", known.settings())
    assert again.heads() == known.heads()
    # Other words, or another vocabulary, give other pieces whatever was there before.
    assert again.with_tokenizer(TOKENIZER).heads() == known.heads()


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("heart", r"'heart' of 'cancer' is 5 pieces \('h' \+ 'e' \+ 'a' \+ 'r' \+ 't'\)"),
        ("breast cancer", r"is 2 pieces \('breast' \+ 'cancer'\), and the mask holds one"),
        ("β", "'β' of 'cancer' is unknown to this vocabulary"),
        ("", "is 0 pieces"),
        ("Cardiac", "'cardiac' and 'Cardiac' are the same piece"),
    ],
)
def test_a_word_that_is_not_one_piece_of_its_own_is_named(word: str, problem: str) -> None:
    with pytest.raises(BadInputError, match=problem):
        task(verbalisers={**WORDS, "cancer": [word]}).with_tokenizer(TOKENIZER)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"verbalisers": {"heart": ["cardiac"]}}, "'cancer' has no words"),
        ({"verbalisers": {**WORDS, "lung": ["the"]}}, "'lung' is none of task.labels"),
        ({"verbalisers": {**WORDS, "cancer": "breast"}}, "'breast': write a list of words"),
        ({"verbalisers": {**WORDS, "cancer": []}}, r"\[\]: write a list of words"),
        ({"verbalisers": {**WORDS, "cancer": [1]}}, r"\[1\]: write a list of words"),
        ({"labels": ["heart", "heart"]}, "name each label once"),
    ],
)
def test_settings_that_make_no_sense_are_named(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        task(**changed)


# Answers


def test_every_window_learns_the_label() -> None:
    document = of_kinds(context="cancer " * 60)
    one = short("{context} [MASK]", 20)
    windows = encoded(one, document)
    targets = one.targets(one.examples(document)[0], windows)
    assert len(targets) == len(windows) > 3
    assert all(target[HEAD].tolist() == [0] for target in targets)


def test_windows_vote_with_their_log_probabilities() -> None:
    document = of_kinds(context="cancer " * 40)
    one = short("{context} [MASK]", 20)
    windows = encoded(one, document)
    rows = [[3.0, 0.0], [0.0, 1.0], [0.0, 1.5]]
    assert len(windows) == len(rows)
    outputs = [{HEAD: np.array(row, dtype=np.float32)} for row in rows]
    found = one.decode(document, [windows], [outputs])
    logs = np.array([np.array(row) - np.log(np.exp(row).sum()) for row in rows]).mean(axis=0)
    expected = np.exp(logs) / np.exp(logs).sum()
    np.testing.assert_allclose(list(found.label_scores.values()), expected, rtol=1e-5)
    assert found.labels == ("heart",)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ((), r"'1' has 0 labels"),
        (("heart", "cancer"), r"has 2 labels \(heart, cancer\).*'classification' gives several"),
        (("lung",), r"label 'lung' is none of the task's \(heart, cancer\)"),
    ],
)
def test_labels_that_do_not_fit_are_named(labels: tuple[str, ...], words: str) -> None:
    document = Document("1", "aspirin", labels=labels)
    one = task()
    with pytest.raises(BadInputError, match=words):
        one.targets(one.examples(document)[0], encoded(one, document))
    with pytest.raises(BadInputError, match=words):
        one.score([document], [document])


def test_an_unanswered_document_is_a_wrong_one() -> None:
    gold = [Document(str(n), "x", labels=("heart",)) for n in range(4)]
    predicted = [gold[0], *(replace(one, labels=()) for one in gold[1:])]
    assert task().score(gold, predicted).main == 0.25


def test_accuracy_or_macro_f1_chooses() -> None:
    gold = [
        Document(str(n), "x", labels=(one,)) for n, one in enumerate(["heart"] * 3 + ["cancer"])
    ]
    predicted = [Document(str(n), "x", labels=("heart",)) for n in range(4)]
    assert task().measure() == "accuracy"
    assert task().score(gold, predicted).main == 0.75
    macro = task(measure="macro")
    assert macro.measure() == "macro F1"
    assert macro.score(gold, predicted).main == pytest.approx(3 / 7)
