"""Extractive question answering: targets, windows, the best spans, and when there is no answer."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.passages import passage_of
from biobert.core.questions import (
    CONTEXT,
    NO_ANSWER,
    answer_texts,
    question_document,
)
from biobert.core.task import IGNORED, Outputs, Window
from biobert.tasks._spans import word_places
from biobert.tasks.qa import HEAD, QaSettings, QuestionAnswering
from biobert.text.windows import WindowSettings
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
SHORT = {"maximum_answer_tokens": 6, "windows": WindowSettings(32, 6)}
QUESTION = "What caused it?"


def task(**settings) -> QuestionAnswering:  # type: ignore[no-untyped-def]
    return QuestionAnswering(QaSettings(**settings))


def encoded(one: QuestionAnswering, document: Document) -> list[tuple[Window, ...]]:
    return one.encode(one.examples(document), TOKENIZER)


def certain(window: Window, first: int, last: int, strength: float = 20.0) -> Outputs:
    """Logits of a window that is sure of one place to begin and one to end."""
    logits = np.zeros((len(window), 2), dtype=np.float32)
    logits[first, 0] += strength
    logits[last, 1] += strength
    return {HEAD: logits}


def through_gold_places(one: QuestionAnswering, document: Document) -> Document:
    """Encode, take the gold targets as the model's certain answer, decode."""
    (example,) = one.examples(document)
    windows = encoded(one, document)
    outputs = []
    for window, targets in zip(windows[0], one.targets(example, windows[0]), strict=True):
        first, last = targets[HEAD].tolist()
        if first == IGNORED:
            first = last = 0
        outputs.append(certain(window, first, last))
    return one.decode(document, windows, [outputs])


def spans(document: Document) -> list[tuple[int, int]]:
    return [(entity.start, entity.end) for entity in document.entities]


def test_targets_are_the_places_of_the_first_and_the_last_token() -> None:
    document = question_document("1", "a?", "lithium qq b", answers=[(8, 10)])
    one = task()
    ((window,),) = encoded(one, document)
    ((target,),) = [one.targets(one.examples(document)[0], [window])]
    # [CLS] a ? [SEP] lithium q ##q b [SEP]
    assert target[HEAD].tolist() == [5, 6]
    assert window.segment_ids.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1]
    bare = question_document("2", "a?", "lithium qq b")
    assert one.targets(one.examples(bare)[0], [window])[0][HEAD].tolist() == [0, 0]


def test_an_answer_inside_a_word_is_the_whole_word() -> None:
    document = question_document("1", "a?", "lithium qq b", answers=[(9, 10)])
    (answer,) = through_gold_places(task(candidates=1), document).entities
    assert document.mention(answer) == "qq"


def test_a_context_of_20000_words_is_answered_at_its_end() -> None:
    context = " ".join(["aspirin"] * 19_999) + " cardiac arrest"
    document = question_document(
        "1", QUESTION, context, answers=[(len(context) - 14, len(context))]
    )
    one = task(no_answer_margin=0.0)
    windows = encoded(one, document)
    assert len(windows[0]) > 50
    found = through_gold_places(one, document)
    assert answer_texts(found)[0] == "cardiac arrest"
    assert spans(found)[0] == spans(document)[0]
    assert found.entities[0].score == pytest.approx(1.0, abs=1e-3)


@given(st.integers(0, 80), st.integers(1, 3))
def test_an_answer_at_any_window_border_comes_back(before: int, length: int) -> None:
    words = ["aspirin"] * before + ["cancer"] * length + ["the"] * 30
    start = 8 * before
    context = " ".join(words)
    answers = [(start, start + 7 * length - 1)]
    document = question_document("1", QUESTION, context, answers=answers)
    one = task(**SHORT, candidates=1, no_answer_margin=0.0)
    found = through_gold_places(one, document)
    assert spans(found) == spans(document)
    assert not found.labels


def test_a_window_that_sees_a_part_of_an_answer_learns_nothing() -> None:
    context = " ".join(["aspirin"] * 40)
    document = question_document("1", QUESTION, context, answers=[(0, len(context))])
    one = task(**SHORT)
    (windows,) = encoded(one, document)
    targets = one.targets(one.examples(document)[0], windows)
    assert len(windows) > 2
    assert all(target[HEAD].tolist() == [IGNORED, IGNORED] for target in targets)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["apart", "any"]), st.integers(0, 60))
def test_answers_are_whole_words_of_the_context(seed: int, neighbours: str, length: int) -> None:
    generator = np.random.default_rng(seed)
    words = generator.choice(["qqq", "lithium", "β-x", "é", "naïve", "漢字", "(1)"], length + 1)
    document = question_document("1", "What ümlaut?", " ".join(words))
    one = task(**SHORT, neighbours=neighbours)
    windows = encoded(one, document)
    outputs = [
        {HEAD: generator.normal(scale=5, size=(len(window), 2)).astype(np.float32)}
        for window in windows[0]
    ]
    found = one.decode(document, windows, [outputs])
    places = [word_places(window) for window in windows[0]]
    starts = {int(start) for some in places for start in some.starts}
    ends = {int(end) for some in places for end in some.ends}
    context = passage_of(document, CONTEXT)
    scores = [entity.score or 0.0 for entity in found.entities]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) + found.label_scores[NO_ANSWER] <= 1.0 + 1e-5
    assert len(set(spans(found))) == len(found.entities) > 0
    for start, end in spans(found):
        assert context.start <= start < end <= context.end
        assert start in starts and end in ends
    if neighbours == "apart":
        ordered = sorted(spans(found))
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(ordered))


def test_five_answers_are_five_strings() -> None:
    """As BioASQ counts them: a name that stands in the context five times is one answer."""
    context = "lithium and lithium and Lithium and lithium and lithium the aspirin"
    document = question_document("1", QUESTION, context)
    gold = replace(
        document, metadata={"type": "factoid", "exact_answer": '[["aspirin"]]'}, entities=()
    )
    one = task(candidates=2, maximum_answer_tokens=1)
    windows = encoded(one, document)
    ((window,),) = windows
    logits = np.full((len(window), 2), -9.0, dtype=np.float32)
    words = [document.text[start:end].lower() for start, end in window.offsets.tolist()]
    for number, word in enumerate(words):
        logits[number] = {"lithium": 6.0, "aspirin": 5.9}.get(word, -9.0)
    found = one.decode(document, windows, [[{HEAD: logits}]])
    assert answer_texts(found) == ["lithium", "aspirin"]
    assert [document.mention(entity) for entity in found.entities] == ["lithium", "aspirin"]
    assert one.score([gold], [found]).details["factoid_mrr"] == 0.5


def test_probabilities_are_those_of_all_answers_and_none() -> None:
    document = question_document("1", "a?", "b c")
    one = task(neighbours="any", candidates=9)
    windows = encoded(one, document)
    logits = np.array([[1, 0], [9, 9], [9, 9], [9, 9], [2, 0], [0, 3], [9, 9]], dtype=np.float32)
    found = one.decode(document, windows, [[{HEAD: logits}]])
    # Places 4 and 5 are b and c: spans b, c, b c; place 0 is none. Softmax constants cancel.
    weights = {"b": 2 + 0, "c": 0 + 3, "b c": 2 + 3, NO_ANSWER: 1 + 0}
    total = sum(np.exp(value) for value in weights.values())
    expected = {name: np.exp(value) / total for name, value in weights.items()}
    got = {found.mention(entity): entity.score for entity in found.entities}
    assert {**got, **found.label_scores} == pytest.approx(expected, rel=1e-4)
    assert answer_texts(found) == ["b c", "c", "b"]


def test_answers_are_no_longer_than_the_recipe_says() -> None:
    document = question_document("1", "a?", "b c d e")
    for longest in (1, 2, 3):
        one = task(maximum_answer_tokens=longest, neighbours="any", candidates=20)
        windows = encoded(one, document)
        found = one.decode(document, windows, [[certain(windows[0][0], 4, 7)]])
        lengths = [len(document.mention(entity).split()) for entity in found.entities]
        assert max(lengths) == longest
        assert len(lengths) == sum(4 - k for k in range(longest))


def test_windows_are_compared_by_probability_not_by_logit() -> None:
    context = " ".join(["aspirin"] * 30) + " cancer"
    document = question_document("1", QUESTION, context)
    one = task(**SHORT)
    windows = encoded(one, document)
    outputs = [certain(window, 0, 0) for window in windows[0]]
    last = windows[0][-1]
    outputs[-1] = certain(last, len(last) - 2, len(last) - 2)
    # A constant on all logits of a window says nothing.
    outputs[0] = {HEAD: outputs[0][HEAD] + 100}
    assert answer_texts(one.decode(document, windows, [outputs]))[0] == "cancer"


def test_the_margin_decides_when_there_is_no_answer() -> None:
    document = question_document("1", "a?", "lithium")
    windows = encoded(task(), document)
    logits = np.zeros((6, 2), dtype=np.float32)
    logits[0] = 0.5
    found = {
        margin: task(no_answer_margin=margin).decode(document, windows, [[{HEAD: logits}]])
        for margin in (None, 0.9, 1.1)
    }
    assert [found[margin].labels for margin in (None, 0.9, 1.1)] == [(), (NO_ANSWER,), ()]
    assert [len(one.entities) for one in found.values()] == [1, 1, 1]
    assert answer_texts(found[0.9]) == []


def test_devel_chooses_the_margin() -> None:
    answered, bare = (
        question_document("1", "a?", "lithium", answers=[(0, 7)]),
        question_document("2", "b?", "lithium"),
    )
    one = task()
    predicted = []
    for document, strength in ((answered, 1.0), (bare, 3.0)):
        windows = encoded(one, document)
        outputs = [[certain(windows[0][0], 0, 0, strength)]]
        predicted.append(one.decode(document, windows, outputs))
    gold = [answered, bare]
    assert one.score(gold, predicted).main == 0.5
    tuned = one.tuned(gold, predicted)
    margin = tuned.settings()["no_answer_margin"]
    assert 2.0 < margin < 6.0
    again = [
        tuned.decode(document, encoded(tuned, document), [[certain(window, 0, 0, strength)]])
        for document, strength in ((answered, 1.0), (bare, 3.0))
        for ((window,),) in [encoded(tuned, document)]
    ]
    assert tuned.score(gold, again).main == 1.0
    everything = tuned.tuned(gold[:1], predicted[:1])
    assert "no_answer_margin" not in everything.settings()


def test_devel_chooses_from_which_probability_a_list_goes_on() -> None:
    listed = {"type": "list"}
    gold = [
        question_document("1", "a?", "b c d e", answers=[(0, 1), (2, 3)], metadata=listed),
        question_document("2", "a?", "b c d e", answers=[(0, 1)], metadata=listed),
    ]
    # Logits of b, c, d and e, as where an answer begins and as where it ends.
    strengths = ([9.0, 8.5, 4.0, 3.5], [9.0, 4.0, 3.5, 0.0])
    one = task(maximum_answer_tokens=1, candidates=2)

    def answered(by: QuestionAnswering) -> list[Document]:
        found = []
        for document, some in zip(gold, strengths, strict=True):
            logits = np.repeat(np.array([[0, 0, 0, 0, *some, 0]], dtype=np.float32).T, 2, axis=1)
            found.append(by.decode(document, encoded(by, document), [[{HEAD: logits}]]))
        return found

    assert [answer_texts(found) for found in answered(one)] == [["b", "c"], ["b", "c"]]
    weighed = answered(one.weighing())
    assert [answer_texts(found) for found in weighed] == [["b", "c", "d", "e"]] * 2
    tuned = one.tuned(gold, weighed)
    scores = [[entity.score for entity in found.entities] for found in weighed]
    assert scores[0][1] > tuned.settings()["list_threshold"] > max(scores[0][2], scores[1][1])
    assert [answer_texts(found) for found in answered(tuned)] == [["b", "c"], ["b"]]
    # Nothing is that sure, and a list has its best answer still.
    strict = task(maximum_answer_tokens=1, list_threshold=1.0)
    assert [answer_texts(found) for found in answered(strict)] == [["b"], ["b"]]
    # Questions of other types keep their candidates, and choose nothing.
    gold = [replace(document, metadata={}) for document in gold]
    assert [len(found.entities) for found in answered(tuned)] == [2, 2]
    assert "list_threshold" not in one.tuned(gold, weighed).settings()


def test_a_question_longer_than_a_window_meets_all_of_the_context() -> None:
    question = " ".join(["aspirin"] * 50)
    document = question_document("1", question, "the lithium", answers=[(4, 11)])
    found = through_gold_places(task(**SHORT), document)
    assert answer_texts(found)[0] == "lithium"


def test_the_measure_chooses_the_main_figure() -> None:
    gold = [question_document("1", "a?", "b c", answers=[(2, 3)])]
    one = task(measure="mrr")
    windows = encoded(one, gold[0])
    predicted = [one.decode(gold[0], windows, [[certain(windows[0][0], 4, 4)]])]
    assert one.score(gold, predicted).main == 0.5
    assert task().score(gold, predicted).main == 0.0


def test_questions_that_no_span_answers_are_passed_over() -> None:
    document = question_document("1", "a?", "b", answers=[(0, 1)], metadata={"type": "yesno"})
    document = replace(document, labels=("yes",), label_scores={"yes": 1.0})
    assert task().examples(document) == []
    # What the model does not answer is not its answer.
    passed = task().decode(document, [], [])
    assert (passed.entities, passed.labels, passed.label_scores) == ((), (), {})
    assert task().score([document], [document]).micro.support == 0


def test_questions_whose_answers_nobody_told_are_answered_but_not_scored_nor_learnt() -> None:
    one = task()
    untold = question_document("u", "a?", "b c", answers=None)
    told = question_document("t", "a?", "b c", answers=[(0, 1)])
    predicted = through_gold_places(one, told)
    answered = replace(predicted, id="u", metadata=untold.metadata)
    windows = encoded(one, untold)
    assert one.decode(untold, windows, [[certain(windows[0][0], 4, 4)]]).entities
    with pytest.raises(BadInputError, match=r"no gold answers for document 'u': its file tells"):
        one.targets(one.examples(untold)[0], windows[0])
    for measure in (one.score, one.tuned):
        with pytest.raises(BadInputError, match=r"for 1 of 2 questions, first document 'u'"):
            measure([told, untold], [predicted, answered])
    # What a model answered may be learnt from, as self-training does, also where it is nothing.
    for document in (answered, replace(untold, labels=(NO_ANSWER,))):
        one.targets(one.examples(document)[0], windows[0])
    yesno = replace(untold, metadata={**untold.metadata, "type": "yesno"})
    assert one.score([yesno], [yesno]).micro.support == 0


def test_wrong_settings_and_documents_say_what_to_do() -> None:
    with pytest.raises(BadInputError, match=r"overlap_tokens to at least 200"):
        task(maximum_answer_tokens=200)
    with pytest.raises(BadInputError, match="at least 1"):
        task(candidates=0)
    with pytest.raises(BadInputError, match="list_threshold = 2: from 0 to 1"):
        task(list_threshold=2)
    plain = Document("7", "Only a text.")
    with pytest.raises(BadInputError, match=r"'7' needs a passage 'question'"):
        encoded(task(), plain)
    with pytest.raises(BadInputError, match="its context is empty"):
        question_document("8", "What?", " \n")
