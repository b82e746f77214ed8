"""Classification: what is read, what is learnt, and how answers come about."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_recall_fscore_support

from biobert.core.document import Document, Passage
from biobert.core.errors import BadInputError
from biobert.core.task import Outputs, Window
from biobert.evaluation.labels import score_labels
from biobert.evaluation.significance import bootstrap_documents
from biobert.tasks._thresholds import best_threshold, best_thresholds
from biobert.tasks.classification import (
    HEAD,
    Classification,
    ClassificationSettings,
)
from biobert.tasks.cloze import Cloze, ClozeSettings
from biobert.text.windows import WindowSettings
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
LABELS = ("yes", "no", "maybe")
SHORT = WindowSettings(maximum_tokens=16, overlap_tokens=3)


def task(**settings) -> Classification:  # type: ignore[no-untyped-def]
    return Classification(ClassificationSettings(LABELS, **settings))


def cloze() -> Cloze:
    words = {label: [label] for label in LABELS}
    return Cloze(ClozeSettings(LABELS, "{text} [MASK]", words, measure="macro"))


def encoded(one: Classification, document: Document) -> list[tuple[Window, ...]]:
    return one.encode(one.examples(document), TOKENIZER)


def answered(
    one: Classification, document: Document, logits: Sequence[Sequence[float]]
) -> Document:
    """Decode these logits, a row for each window."""
    windows = encoded(one, document)
    outputs: list[list[Outputs]] = [[{HEAD: np.array(row, dtype=np.float32)} for row in logits]]
    assert len(windows[0]) == len(logits)
    return one.decode(document, windows, outputs)


def with_scores(*scores: dict[str, float]) -> list[Document]:
    return [Document(str(place), "x", label_scores=one) for place, one in enumerate(scores)]


# What is read


def test_a_text_is_read_whole_a_passage_alone() -> None:
    document = Document("1", "lithium. aspirin", passages=(Passage(9, 16, "context"),))
    ((whole,),) = encoded(task(), document)
    assert whole.offsets[1].tolist() == [0, 7]
    ((window,),) = encoded(task(passages=("context",)), document)
    assert window.offsets.tolist() == [[-1, -1], [9, 16], [-1, -1]]
    assert not window.segment_ids.any()


def test_networks_for_pairs_alone_read_segments() -> None:
    assert task(passages=("a", "b")).inputs() == ("token_ids", "mask", "segment_ids")
    assert task(passages=("a",)).inputs() == task().inputs() == ("token_ids", "mask")


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_text_has_nothing_to_answer(text: str) -> None:
    document = Document("1", text, labels=("yes",))
    assert task().examples(document) == []
    assert task().decode(document, [], []).labels == ()


def test_a_missing_passage_is_named() -> None:
    with pytest.raises(BadInputError, match=r"'1' needs a passage 'question'"):
        encoded(task(passages=("question", "context")), Document("1", "aspirin"))


def test_a_context_of_20000_words_goes_through_windows_and_gets_one_answer() -> None:
    text = "aspirin helps\n" + "the cancer " * 10_000
    passages = (Passage(0, 13, "question"), Passage(14, len(text), "context"))
    document = Document("1", text, passages=passages)
    one = task(passages=("question", "context"))
    (windows,) = encoded(one, document)
    assert len(windows) > 40
    assert max(map(len, windows)) <= 512
    rows = [[0.0, 3.0, 0.0] for _ in windows]
    assert answered(one, document, rows).labels == ("no",)


# What is learnt


def test_single_labels_are_numbers_several_are_flags() -> None:
    document = Document("1", "aspirin", labels=("maybe",))
    one = task()
    (example,) = one.examples(document)
    (windows,) = encoded(one, document)
    assert one.targets(example, windows)[0][HEAD].tolist() == [2]
    several = Document("1", "aspirin", labels=("maybe", "yes"))
    many = task(choice="many")
    (example,) = many.examples(several)
    assert many.targets(example, windows)[0][HEAD].tolist() == [1, 0, 1]


def test_every_window_of_a_long_text_learns_its_label() -> None:
    document = Document("1", "cancer " * 100, labels=("no",))
    one = task(windows=SHORT)
    (windows,) = encoded(one, document)
    targets = one.targets(one.examples(document)[0], windows)
    assert len(targets) == len(windows) > 5
    assert all(target[HEAD].tolist() == [1] for target in targets)


def test_weights_stand_in_the_order_of_the_labels() -> None:
    assert task().heads()[0].weights == ()
    assert task(weights={"maybe": 4.0}).heads()[0].weights == (1.0, 1.0, 4.0)
    assert task().heads()[0].loss == "cross-entropy"
    assert task(choice="many").heads()[0].loss == "binary"


@pytest.mark.parametrize(
    ("labels", "choice", "words"),
    [
        (("perhaps",), "one", r"'7': label 'perhaps' is none of the task's \(yes, no, maybe\)"),
        (("perhaps",), "many", r"label 'perhaps' is none"),
        (("in part",), "one", r"use --rename 'in part=OURS', or in a recipe rename = \{ 'in part'"),
        (("yes", "no"), "one", r"'7' has 2 labels \(yes, no\).*choice = 'many'"),
        ((), "one", r"'7' has 0 labels"),
    ],
)
def test_labels_that_do_not_fit_are_named(labels: tuple[str, ...], choice: str, words: str) -> None:
    document = Document("7", "aspirin", labels=labels)
    one = task(choice=choice)
    (example,) = one.examples(document)
    with pytest.raises(BadInputError, match=words):
        one.targets(example, encoded(one, document)[0])
    with pytest.raises(BadInputError, match=words):
        one.score([document], [document])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"labels": ["a", "a"]}, "name each label once"),
        ({"labels": []}, "name each label once"),
        ({"labels": ["a"], "passages": ["x", "y", "z"]}, "one or two kinds"),
        ({"labels": ["a"], "thresholds": {"a": 0.5}}, "beside choice = 'many' alone"),
        ({"labels": ["a"], "thresholds": {"b": 0.5}}, r"thresholds: 'b' is none of \['a'\]"),
        ({"labels": ["a"], "weights": {"b": 2.0}}, r"weights: 'b' is none"),
        ({"labels": ["a"], "thresholds": {"a": 7}}, "thresholds: a = 7.0: from 0 to 1"),
        ({"labels": ["a"], "weights": {"a": -1}}, "weights: a = -1.0: not below 0"),
        ({"labels": ["a"], "weights": {"a": "2"}}, "weights.a = '2': expected float"),
        ({"labels": ["a"], "weights": ["a"]}, "expected a table"),
        ({"labels": ["a"], "choice": "several"}, "unknown choice 'several'"),
    ],
)
def test_settings_that_make_no_sense_are_named(settings: dict[str, object], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        Classification.from_settings(settings)


# How answers come about


def test_of_single_labels_the_likeliest_is_given_with_all_probabilities() -> None:
    found = answered(task(), Document("1", "aspirin"), [[1.0, 3.0, 0.0]])
    exponentials = np.exp([1.0, 3.0, 0.0])
    assert found.labels == ("no",)
    assert list(found.label_scores) == list(LABELS)
    expected = exponentials / exponentials.sum()
    np.testing.assert_allclose(list(found.label_scores.values()), expected, rtol=1e-5)


def test_windows_vote_with_their_log_probabilities() -> None:
    document = Document("1", "cancer " * 24)
    rows = [[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.5, 0.0]]
    found = answered(task(windows=SHORT), document, rows)
    logs = np.array([np.array(row) - np.log(np.exp(row).sum()) for row in rows]).mean(axis=0)
    expected = np.exp(logs) / np.exp(logs).sum()
    np.testing.assert_allclose(list(found.label_scores.values()), expected, rtol=1e-5)
    assert found.labels == ("no",)


def test_of_several_labels_each_holds_where_one_window_is_sure_enough() -> None:
    one = task(choice="many", windows=SHORT, thresholds={"yes": 0.9, "maybe": 0.01})
    rows = [[2.0, -1.0, -4.0], [-3.0, 0.5, -9.0], [-3.0, -3.0, -9.0]]
    found = answered(one, Document("1", "cancer " * 24), rows)
    expected = 1 / (1 + np.exp([-2.0, -0.5, 4.0]))
    np.testing.assert_allclose(list(found.label_scores.values()), expected, rtol=1e-5)
    assert found.labels == ("no", "maybe")


# Thresholds


def f1_at(threshold: float, scores: np.ndarray, gold: np.ndarray) -> float:
    given_ = scores >= threshold
    right = int((given_ & gold).sum())
    return 2 * right / (given_.sum() + gold.sum()) if right else 0.0


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), st.booleans()),
        min_size=1,
        max_size=14,
    )
    | st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=14)
)
def test_the_best_threshold_is_that_of_trying_all(pairs: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in pairs])
    gold = np.array([right for _, right in pairs])
    found = best_threshold(scores, gold)
    if not gold.any():
        assert found == 0.5
        return
    best = max(f1_at(threshold, scores, gold) for threshold in scores)
    assert f1_at(found, scores, gold) == pytest.approx(best)


def test_the_threshold_stands_halfway_and_is_the_highest_of_equals() -> None:
    assert best_threshold(np.array([0.9, 0.5, 0.1]), np.array([True, False, False])) == 0.7
    # Taking the first alone and taking all gives the same F1.
    scores, gold = np.array([0.9, 0.8, 0.6, 0.2]), np.array([True, False, False, True])
    assert best_threshold(scores, gold) == pytest.approx(0.85)
    assert best_threshold(np.array([0.4]), np.array([True])) == 0.2


def test_thresholds_are_chosen_for_each_label_and_kept() -> None:
    gold = [
        Document("0", "x", labels=("yes",)),
        Document("1", "x", labels=("yes", "no")),
        Document("2", "x"),
    ]
    predicted = with_scores(
        {"yes": 0.3, "no": 0.6, "maybe": 0.9},
        {"yes": 0.4, "no": 0.8, "maybe": 0.1},
        {"yes": 0.1, "no": 0.2, "maybe": 0.2},
    )
    tuned = task(choice="many").tuned(gold, predicted)
    chosen = tuned.settings()["thresholds"]
    assert chosen == pytest.approx({"yes": 0.2, "no": 0.7, "maybe": 0.5})
    again = Classification.from_settings(tuned.settings())
    logits = [[-1.0, 0.0, 0.1]]
    assert answered(again, Document("1", "x"), logits).labels == ("yes", "maybe")


@pytest.mark.parametrize(("rows", "own"), [(25, False), (5000, True)])
def test_labels_have_thresholds_of_their_own_where_there_is_enough_to_choose_by(
    rows: int, own: bool
) -> None:
    random = np.random.default_rng(3)
    cuts = np.array([0.58, 0.6, 0.62, 0.64])
    scores = random.uniform(size=(rows, 4))
    gold = random.uniform(size=(rows, 4)) < 1 / (1 + np.exp(-20 * (scores - cuts)))
    chosen = best_thresholds(scores, gold)
    assert (len(set(chosen)) > 1) == own
    assert chosen == pytest.approx(cuts, abs=0.1)


def test_a_task_of_single_labels_asks_for_no_predictions() -> None:
    def never() -> object:
        raise AssertionError
        yield

    one = task()
    assert one.tuned([], never()) is one  # type: ignore[arg-type]


# Scores


@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from(LABELS)), st.sets(st.sampled_from(LABELS))),
        min_size=1,
        max_size=20,
    )
)
def test_scores_are_those_of_scikit_learn(pairs: list[tuple[set[str], set[str]]]) -> None:
    gold, predicted = [one for one, _ in pairs], [other for _, other in pairs]
    found = score_labels(gold, predicted, LABELS)
    flags = [
        np.array([[label in one for label in LABELS] for one in sets]) for sets in (gold, predicted)
    ]
    for average, score in (("micro", found.micro), ("macro", None)):
        expected = precision_recall_fscore_support(*flags, average=average, zero_division=0.0)
        if score is None:
            assert found.details["macro_f1"] == pytest.approx(expected[2])
        else:
            assert (score.precision, score.recall, score.f1) == pytest.approx(expected[:3])
    by_label = precision_recall_fscore_support(*flags, average=None, zero_division=0.0)
    for place, label in enumerate(LABELS):
        one = found.by_label[label]
        assert one.support == by_label[3][place]
        assert (one.precision, one.recall, one.f1) == pytest.approx(
            tuple(values[place] for values in by_label[:3])
        )
    assert found.details["accuracy"] == pytest.approx((flags[0] == flags[1]).all(axis=1).mean())


@pytest.mark.parametrize("answer", [(), ("unsure",)])
def test_documents_without_a_known_answer_are_wrong_ones(answer: tuple[str, ...]) -> None:
    gold = [Document(str(n), "x", labels=("yes",)) for n in range(8)]
    predicted = [replace(one, labels=("yes",) if n < 4 else answer) for n, one in enumerate(gold)]
    assert task().score(gold, predicted).main == 0.5
    many = task(choice="many").score(gold, predicted)
    assert many.micro.precision == (0.5 if answer else 1.0)
    assert many.main == many.micro.f1
    nothing = [replace(gold[0], labels=())]
    found = task(choice="many").score(nothing, predicted[4:5])
    assert found.details["accuracy"] == (0.0 if answer else 1.0)


def test_of_single_labels_micro_f1_is_accuracy_and_macro_may_choose() -> None:
    gold = [Document(str(n), "x", labels=(one,)) for n, one in enumerate(("yes", "yes", "no"))]
    predicted = [Document(str(n), "x", labels=("yes",)) for n in range(3)]
    scores = task().score(gold, predicted)
    assert scores.main == scores.details["accuracy"] == pytest.approx(2 / 3)
    macro = task(measure="macro").score(gold, predicted)
    assert macro.main == macro.details["macro_f1"] == pytest.approx(0.8 / 2)


@given(
    st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from([*LABELS, "unsure"])), min_size=1)
)
def test_macro_f1_of_single_labels_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    gold = [Document(str(n), "x", labels=(one,)) for n, (one, _) in enumerate(pairs)]
    predicted = [replace(one, labels=(other,)) for one, (_, other) in zip(gold, pairs, strict=True)]
    expected = f1_score(*zip(*pairs, strict=True), average="macro", zero_division=0.0)
    for one in (task(measure="macro"), cloze()):
        assert one.score(gold, predicted).main == pytest.approx(expected)


def test_answers_right_without_exception_have_an_interval_that_says_so() -> None:
    gold = [Document(str(n), str(n), labels=("yes" if n else "maybe",)) for n in range(30)]
    measure = task(measure="macro").score
    interval = bootstrap_documents(gold, gold, measure, np.random.default_rng(1), samples=30)
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_answers_to_other_texts_are_not_scored() -> None:
    gold, other = Document("1", "x", labels=("yes",)), Document("1", "y", labels=("yes",))
    for one in (task(), cloze()):
        with pytest.raises(BadInputError, match="differ in text"):
            one.score([gold], [other])
