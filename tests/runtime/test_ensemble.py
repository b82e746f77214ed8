"""Several models answer as one: by the mean of their probabilities, or by vote."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.core.task import HeadSpec, LabelGroup, Outputs, Window
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.ensemble import write_ensemble
from biobert.runtime.ensemble import EnsemblePredictor
from tests.cli.calling import call
from tests.tiny import write_tiny_model_folder

GROUPS = (LabelGroup("a", ("O", "B", "I")), LabelGroup("b", ("no", "yes")))
NOTHING = np.zeros(1, dtype=np.int64)
WINDOW = Window(NOTHING, NOTHING, np.zeros((1, 2), dtype=np.int64), NOTHING, slice(0, 1))


class Fixed:
    """A predictor that always says the same."""

    def __init__(self, logits: np.ndarray) -> None:
        self.logits = np.asarray(logits, dtype=np.float32)

    def predict(self, windows: list[Window]) -> list[Outputs]:
        return [{"head": self.logits} for _ in windows]


def joined(head: HeadSpec, rule: str, *logits: np.ndarray) -> np.ndarray:
    members = [Fixed(one) for one in logits]
    (output,) = EnsemblePredictor(members, [head], rule=rule).predict([WINDOW])  # type: ignore[arg-type]
    return output["head"]


def softmax(logits: np.ndarray, axis: int = -1) -> np.ndarray:
    likely = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return likely / likely.sum(axis=axis, keepdims=True)


def test_probabilities_are_averaged_group_by_group() -> None:
    random = np.random.default_rng(1)
    some = random.normal(size=(3, 7, 5))
    found = joined(HeadSpec("head", "token", GROUPS), "mean", *some)
    for part in (slice(0, 3), slice(3, 5)):
        expected = softmax(some[..., part]).mean(axis=0)
        np.testing.assert_allclose(softmax(found[..., part]), expected, atol=1e-6)


def test_the_majority_wins_a_vote_however_sure_the_minority_is() -> None:
    head = HeadSpec("head", "sequence", GROUPS[1:])
    sure, weak = np.array([0.0, 20.0]), np.array([0.3, 0.0])
    assert joined(head, "mean", sure, weak, weak).argmax() == 1
    assert joined(head, "vote", sure, weak, weak).argmax() == 0


def test_labels_that_stand_alone_are_joined_one_by_one() -> None:
    head = HeadSpec("head", "sequence", (LabelGroup("l", ("x", "y")),), loss="binary")
    mean = joined(head, "mean", np.array([2.0, -1.0]), np.array([0.0, -3.0]))
    expected = (1 / (1 + np.exp([-2.0, 1.0])) + 1 / (1 + np.exp([0.0, 3.0]))) / 2
    np.testing.assert_allclose(1 / (1 + np.exp(-mean)), expected, atol=1e-6)
    assert (joined(head, "vote", *np.array([[1.0, -1], [1, 1], [9, -1]])) > 0).tolist() == [1, 0]


def test_numbers_and_spans_are_joined_as_they_are_read() -> None:
    number = HeadSpec("head", "sequence", (LabelGroup("n", ("n",)),), loss="squared-error")
    assert joined(number, "vote", np.array([1.0]), np.array([2.0])) == pytest.approx([1.5])
    some = np.random.default_rng(2).normal(size=(2, 6, 2))
    found = joined(HeadSpec("head", "span"), "mean", *some)
    np.testing.assert_allclose(softmax(found, 0), softmax(some, 1).mean(axis=0), atol=1e-6)


def test_an_ensemble_is_a_model_folder(tmp_path: Path) -> None:
    labels = {"labels": ["a", "b"]}
    first, second = (
        write_tiny_model_folder(tmp_path / name, task="classification", others=labels, seed=seed)
        for name, seed in (("first", 1), ("second", 2))
    )
    output, text = tmp_path / "both", "Lithium caused cardiac arrest in breast cancer."
    found = call("ensemble", first, second, "--output", output, "--rule", "mean", "--json")
    assert found.code == 0, found.err
    one, other, both = (Annotator(model).annotate(text) for model in (first, second, output))
    assert abs(one.label_scores["a"] - other.label_scores["a"]) > 0.05
    mean = (one.label_scores["a"] + other.label_scores["a"]) / 2
    assert both.label_scores["a"] == pytest.approx(mean, abs=1e-4)
    assert both.provenance.model == "both"
    shutil.rmtree(second)
    assert Annotator(output).annotate(text).label_scores == both.label_scores


def test_an_ensemble_that_cannot_be_written_leaves_nothing(
    tiny_model: Path, tmp_path: Path
) -> None:
    member = tmp_path / "member"
    shutil.copytree(tiny_model, member)
    (member / "tokenizer_config.json").unlink()
    with pytest.raises(FileNotFoundError):
        write_ensemble([member, tiny_model], tmp_path / "both", name="both", rule="mean")
    assert list(tmp_path.iterdir()) == [member]


def test_ensembles_of_other_members_have_other_fingerprints(tmp_path: Path) -> None:
    models = [tmp_path / name for name in "abc"]
    for seed, model in enumerate(models):
        write_tiny_model_folder(model)
        replace(read_manifest(model), recipe={"run": {"seed": seed}}).write(model)
    prints = []
    for other in models[1:]:
        output = tmp_path / f"with-{other.name}"
        write_ensemble([models[0], other], output, name="both", rule="mean")
        prints.append(Annotator(output).fingerprint)
    assert prints[0] != prints[1]


def test_models_that_answer_otherwise_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    genes = write_tiny_model_folder(tmp_path / "genes", labels=("Gene",))
    with pytest.raises(BadInputError, match="differ in labels"):
        write_ensemble([tiny_model, genes], tmp_path / "out", name="x", rule="mean")
    settings = {"labels": ["a", "b"], "thresholds": {"a": 0.3}}
    models = [
        write_tiny_model_folder(tmp_path / pooling, task="classification", others=settings | other)
        for pooling, other in (
            ("first", {"pooling": "first"}),
            ("mean", {"pooling": "mean", "thresholds": {}}),
        )
    ]
    with pytest.raises(BadInputError, match=r"differ in pooling$"):
        write_ensemble(models, tmp_path / "out", name="x", rule="mean")
    with pytest.raises(BadInputError, match="at least two"):
        write_ensemble([tiny_model], tmp_path / "out", name="x", rule="mean")
    assert (
        call("ensemble", tiny_model, tiny_model, "-o", tmp_path / "o", "--rule", "maen").code == 2
    )


@pytest.mark.parametrize("kind", ["vector", "text"])
def test_vectors_and_texts_are_not_joined(kind: str) -> None:
    with pytest.raises(BadInputError, match="cannot be joined"):
        EnsemblePredictor([], [HeadSpec("one", kind)], rule="mean")  # type: ignore[arg-type]
