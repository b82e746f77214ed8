"""Scores of written texts."""

import numpy as np
import pytest

from biobert.evaluation.generated import greedy_match, score_texts, score_vectors


def test_rouge_by_hand() -> None:
    # Five words against four; common: aspirin, prevents (stem prevent), stroke; in this order.
    scores = score_texts(["Aspirin prevented many strokes."], ["Aspirin may prevent a stroke."])
    precision, recall = 3 / 5, 3 / 4
    f1 = 2 * precision * recall / (precision + recall)
    assert scores.main == pytest.approx(f1)
    assert (scores.micro.precision, scores.micro.recall) == (precision, recall)
    assert scores.details["rouge1_f1"] == pytest.approx(f1)
    assert scores.details["rouge2_f1"] == 0.0
    assert scores.details["words_ratio"] == 5 / 4


def test_a_model_that_always_says_the_same_is_seen_through() -> None:
    scores = score_texts(["a b", "c d", "e f", "g h"], ["further studies are needed"] * 4)
    assert scores.details["distinct_texts"] == 0.25
    assert scores.main == 0.0


def test_no_texts_and_empty_texts() -> None:
    assert score_texts([], []).main == 0.0
    assert score_texts(["a word"], [""]).main == 0.0


def test_greedy_matching_against_loops() -> None:
    generator = np.random.default_rng(5)
    written, gold = (generator.standard_normal((n, 6)).astype(np.float32) for n in (4, 7))

    def cosine(one: np.ndarray, other: np.ndarray) -> float:
        return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

    found = greedy_match(written, gold)
    precision = sum(max(cosine(one, other) for other in gold) for one in written) / 4
    recall = sum(max(cosine(one, other) for one in written) for other in gold) / 7
    assert found.precision == pytest.approx(precision, rel=1e-5)
    assert found.recall == pytest.approx(recall, rel=1e-5)
    assert found.f1 == pytest.approx(2 * precision * recall / (precision + recall), rel=1e-5)


def test_the_same_vectors_match_fully_and_none_match_nothing() -> None:
    vectors = np.eye(3, dtype=np.float32)
    assert greedy_match(vectors, vectors).f1 == pytest.approx(1.0)
    assert greedy_match(vectors[:0], vectors).f1 == 0.0
    scores = score_vectors([vectors, vectors], [vectors, vectors[:0]])
    assert (scores.f1, scores.support) == (pytest.approx(0.5), 2)
