"""Token-level figures equal scikit-learn's."""

import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Document, Entity
from biobert.evaluation.labels import classification_report, confusion_matrix, word_tags
from biobert.evaluation.plots import plot_confusion

tags = st.sampled_from(["O", "B-Gene", "I-Gene", "B-Disease"])


@given(st.lists(st.tuples(tags, tags), min_size=1, max_size=60))
def test_the_report_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = [one for one, _ in pairs], [other for _, other in pairs]
    found = classification_report(confusion_matrix(gold, predicted))
    expected = sklearn.metrics.classification_report(
        gold, predicted, output_dict=True, zero_division=0
    )
    for label, score in found.items():
        for name, value in (("precision", score.precision), ("recall", score.recall)):
            assert value == pytest.approx(expected[label][name], abs=1e-12)
        assert score.f1 == pytest.approx(expected[label]["f1-score"], abs=1e-12)
        assert score.support == expected[label]["support"]


@given(st.lists(st.tuples(tags, tags), min_size=1, max_size=60))
def test_the_matrix_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    # Alone, scikit-learn warns of matrices with one label.
    pairs = [*pairs, ("O", "O"), ("B-Gene", "B-Gene")]
    gold, predicted = [one for one, _ in pairs], [other for _, other in pairs]
    matrix = confusion_matrix(gold, predicted)
    expected = sklearn.metrics.confusion_matrix(gold, predicted, labels=list(matrix.labels))
    assert matrix.counts.tolist() == expected.tolist()


def test_words_get_the_tags_of_the_entities_over_them() -> None:
    text = "inherited breast cancer, TP53 mutated"
    document = Document("1", text, entities=(Entity(0, 23, "Disease"), Entity(25, 29, "Gene")))
    tags = ["B-Disease", "I-Disease", "I-Disease", "B-Gene", "O"]
    assert word_tags(document, ("Disease", "Gene")) == tags
    assert word_tags(document, ("Gene",)) == ["O", "O", "O", "B-Gene", "O"]
    assert word_tags(Document("2", " ", entities=(Entity(0, 1, "Gene"),)), ("Gene",)) == []


def test_of_mentions_that_share_a_word_the_first_and_longest_counts() -> None:
    entities = (Entity(10, 16, "Gene"), Entity(0, 23, "Disease"), Entity(17, 29, "Gene"))
    document = Document("1", "inherited breast cancer, TP53 mutated", entities=entities)
    tags = ["B-Disease", "I-Disease", "I-Disease", "O", "O"]
    assert word_tags(document, ("Disease", "Gene")) == tags


def test_the_confusion_picture_is_a_png(tmp_path) -> None:  # type: ignore[no-untyped-def]
    plot_confusion(confusion_matrix(["O", "B-Gene"], ["O", "O"]), tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")
