"""Answers against the definitions, said again in another way."""

import json
import math
import re
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.core.passages import passage_of
from biobert.core.questions import (
    ANSWER,
    EXACT_ANSWER,
    NO_ANSWER,
    answer_texts,
    exact_answers,
    question_document,
)
from biobert.evaluation.answers import (
    best_margin,
    best_overlap,
    normalised,
    overlap,
    reciprocal_rank,
    score_answers,
    score_factoids,
    score_lists,
)

PIECES = [
    "The",
    "a",
    "an",
    "thesis",
    "IL-2",
    "il2",
    "β",
    "(",
    ".",
    "  ",
    "\t",
    "A-b",
    "",
    "ab",
    "É",
]
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=6).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    st.text(max_size=12),
)


def tokens(text: str) -> list[str]:
    """SQuAD's normalisation, step by step: lower, punctuation, articles, white space."""
    kept = "".join(sign for sign in text.lower() if sign not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", kept).split()


def squad_f1(answer: str, accepted: str) -> float:
    own, wanted = Counter(tokens(answer)), Counter(tokens(accepted))
    if not own or not wanted:
        return float(own == wanted)
    common = sum(min(count, wanted[token]) for token, count in own.items())
    if common == 0:
        return 0.0
    precision, recall = common / own.total(), common / wanted.total()
    return 2 * precision * recall / (precision + recall)


@given(texts, texts)
def test_exact_match_and_token_f1_are_squads(answer: str, accepted: str) -> None:
    found = overlap(answer, accepted)
    assert normalised(answer) == " ".join(tokens(answer))
    assert found.exact == float(tokens(answer) == tokens(accepted))
    assert found.f1 == pytest.approx(squad_f1(answer, accepted))


@given(texts, st.lists(texts, max_size=4))
def test_the_best_of_the_accepted_answers_counts(answer: str, accepted: list[str]) -> None:
    known = [one for one in accepted if tokens(one)] or [""]
    found = best_overlap(answer, known)
    assert found == best_overlap(answer, accepted)
    assert found.exact == max(float(tokens(answer) == tokens(one)) for one in known)
    assert found.f1 == pytest.approx(max(squad_f1(answer, one) for one in known))


def test_punctuation_joins_and_articles_are_whole_words() -> None:
    assert normalised("The IL-2, an  Anthem. ") == "il2 anthem"
    assert overlap("the", "").exact == 1.0
    assert overlap("the receptor", "Receptor").exact == 1.0


names = st.sampled_from(["TP53", "tp53", "p53", "BRCA1", "brca1 ", "EGFR", "egfr", ""])
gold_lists = st.lists(st.lists(names, min_size=1, max_size=3), min_size=1, max_size=4)


@given(st.lists(st.tuples(gold_lists, st.lists(names, max_size=7)), min_size=1, max_size=6))
def test_factoid_measures_are_bioasqs(questions: list[tuple[list[list[str]], list[str]]]) -> None:
    strict, lenient, reciprocal = 0, 0, 0.0
    for gold, answers in questions:
        right = [
            any(answer.lower() == one.lower() for some in gold for one in some) and answer != ""
            for answer in answers[:5]
        ]
        strict += bool(right) and right[0]
        lenient += any(right)
        reciprocal += 1 / (right.index(True) + 1) if any(right) else 0
    found = score_factoids(*zip(*questions, strict=True))
    assert found.strict_accuracy == pytest.approx(strict / len(questions))
    assert found.lenient_accuracy == pytest.approx(lenient / len(questions))
    assert found.mrr == pytest.approx(reciprocal / len(questions))


@given(st.lists(st.tuples(gold_lists, st.lists(names, max_size=7)), min_size=1, max_size=6))
def test_list_measures_are_bioasqs(questions: list[tuple[list[list[str]], list[str]]]) -> None:
    figures = []
    for gold, answers in questions:
        free, taken = [[one.lower() for one in some] for some in gold], 0
        for answer in answers:
            place = next((n for n, some in enumerate(free) if answer.lower() in some), None)
            if place is not None:
                del free[place]
                taken += 1
        precision = taken / len(answers) if answers else 0.0
        recall = taken / len(gold)
        total = precision + recall
        figures.append((precision, recall, 2 * precision * recall / total if total else 0.0))
    found = score_lists(*zip(*questions, strict=True))
    for place, name in enumerate(("precision", "recall", "f1")):
        assert found[name] == pytest.approx(np.mean([one[place] for one in figures]))


questions = st.tuples(st.sampled_from([-2.0, -0.5, 0.0, 0.5, 3.0]), st.floats(0, 1), st.booleans())


@given(st.lists(questions, min_size=1, max_size=8))
def test_no_margin_is_better_than_the_best_one(cases: list[tuple[float, float, bool]]) -> None:
    def total(margin: float) -> float:
        return sum(
            (f1 if answerable else 0.0) if own <= margin else float(not answerable)
            for own, f1, answerable in cases
        )

    margin = best_margin(*zip(*cases, strict=True))
    assert math.isfinite(margin)
    others = [-10.0, *(one[0] for one in cases), 10.0]
    assert total(margin) == pytest.approx(max(total(other) for other in others))


def asked(name: str, *answers: tuple[int, int], **metadata: str) -> Document:
    return question_document(
        name, "What?", "the aspirin dose was low", answers=answers, metadata=metadata
    )


def answered(name: str, *spans: tuple[int, int, float], labels: tuple[str, ...] = ()) -> Document:
    bare = asked(name)
    shift = passage_of(bare, "context").start
    found = [Entity(shift + start, shift + end, ANSWER, score=sure) for start, end, sure in spans]
    return Document(bare.id, bare.text, bare.passages, tuple(found), labels=labels)


def test_a_corpus_with_questions_that_have_no_answer() -> None:
    gold = [asked("1", (4, 11)), asked("2", (4, 16)), asked("3"), asked("4")]
    predicted = [
        answered("1", (12, 16, 0.1), (0, 11, 0.8)),
        answered("2", (4, 11, 0.9), (4, 16, 0.05)),
        answered("3", (4, 11, 0.2), labels=(NO_ANSWER,)),
        answered("4", (4, 11, 0.9)),
    ]
    scores = score_answers(gold, predicted)
    f1 = [1.0, 2 / 3, 1.0, 0.0]
    assert scores.main == pytest.approx(np.mean(f1))
    assert scores.details["exact_match"] == pytest.approx((1 + 0 + 1 + 0) / 4)
    assert scores.details["answerable_f1"] == pytest.approx(np.mean(f1[:2]))
    assert scores.details["answerable_exact_match"] == 0.5
    assert scores.details["mrr"] == pytest.approx((1 + 1 / 2) / 2)
    nothing = scores.by_label[NO_ANSWER]
    assert (nothing.precision, nothing.recall, nothing.support) == (1.0, 0.5, 2)


def test_strings_of_the_metadata_are_accepted_wherever_they_stand() -> None:
    accepted = json.dumps([["acetylsalicylic acid", "Aspirin"], ["dose"]])
    gold = [asked("1", type="factoid", exact_answer=accepted)]
    predicted = [answered("1", (0, 3, 0.5), (4, 11, 0.3))]
    scores = score_answers(gold, predicted)
    assert scores.main == 0.0
    assert scores.details["factoid_strict_accuracy"] == 0.0
    assert scores.details["factoid_lenient_accuracy"] == 1.0
    assert scores.details["factoid_mrr"] == 0.5
    lists = [asked("1", type="list", exact_answer=accepted)]
    details = score_answers(lists, predicted).details
    assert details["list_precision"] == details["list_recall"] == 0.5


def test_what_differs_in_case_alone_is_one_answer() -> None:
    document = question_document("1", "What?", "TP53 and tp53 and p53")
    spans = [(0, 4), (9, 13), (18, 21)]
    entities = [Entity(6 + start, 6 + end, ANSWER) for start, end in spans]
    assert answer_texts(document.with_entities(entities)) == ["TP53", "p53"]
    assert reciprocal_rank(["a", "b", "c", "d", "e", "right"], ["right"]) == 0.0
    assert reciprocal_rank(["a", "The right."], ["right"]) == 0.5


def test_wrong_exact_answers_name_the_document() -> None:
    with pytest.raises(BadInputError, match="'7'"):
        exact_answers(asked("7", **{EXACT_ANSWER: '"aspirin"'}))


def test_nothing_at_all_scores_nothing() -> None:
    assert score_answers([], []).main == 0.0
