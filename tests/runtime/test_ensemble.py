"""Several models answer as one: by the mean of their probabilities, or by vote."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.core.task import Outputs, Task, Window
from biobert.data.places import CorpusPlaces
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.ensemble import write_ensemble
from biobert.runtime.ensemble import EnsemblePredictor, Rule
from biobert.tasks import build_task
from tests.cli.calling import call
from tests.tiny import write_tiny_model_folder

NOTHING = np.zeros(1, dtype=np.int64)
WINDOW = Window(NOTHING, NOTHING, np.zeros((1, 2), dtype=np.int64), NOTHING, slice(0, 1))
NAMES = build_task("ner", {"labels": ["Chemical", "Disease"]})
ANSWERS = build_task("classification", {"labels": ["no", "yes"]})
TOPICS = {"labels": ["a", "b"], "choice": "many"}
PAIRS = {"labels": ["up", "down"], "negative": "none", "pairs": [["Chemical", "Gene"]]}
TEXT = Document("1", "Words.")
PLACES = CorpusPlaces(Path("nowhere"))
PAIR = replace(build_task("relations", PAIRS).toy_documents()[0], relations=())


class Fixed:
    """A predictor that always says the same."""

    def __init__(self, head: str, logits: Sequence[float] | np.ndarray) -> None:
        self.output = {head: np.asarray(logits, dtype=np.float32)}

    def predict(self, windows: Sequence[Window]) -> list[Outputs]:
        return [self.output for _ in windows]


def joined(tasks: Task | Sequence[Task], rule: Rule, *logits: Sequence[float] | np.ndarray) -> Any:
    """What is joined of logits, each with a task of its own or all with the same."""
    own = [tasks] * len(logits) if isinstance(tasks, Task) else tasks
    (head,) = own[0].heads()
    members = [Fixed(head.name, one) for one in logits]
    (output,) = EnsemblePredictor(members, own, rule=rule).predict([WINDOW])
    return output[head.name]


def decoded(task: Task, document: Document, logits: np.ndarray) -> Document:
    (head,) = task.heads()
    return task.decode(document, [(WINDOW,)], [[{head.name: logits}]])


def softmax(logits: np.ndarray, axis: int = -1) -> np.ndarray:
    likely: np.ndarray = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return likely / likely.sum(axis=axis, keepdims=True)


def logit(probabilities: Sequence[float]) -> np.ndarray:
    odds: np.ndarray = np.log(probabilities) - np.log1p(-np.asarray(probabilities))
    return odds


def test_probabilities_are_averaged_group_by_group() -> None:
    some = np.random.default_rng(1).normal(size=(3, 7, 6))
    found = joined(NAMES, "mean", *some)
    for part in (slice(0, 3), slice(3, 6)):
        expected = softmax(some[..., part]).mean(axis=0)
        np.testing.assert_allclose(softmax(found[..., part]), expected, atol=1e-6)


def test_the_majority_wins_a_vote_however_sure_the_minority_is() -> None:
    sure, weak = [0.0, 20.0], [0.3, 0.0]
    assert joined(ANSWERS, "mean", sure, weak, weak).argmax() == 1
    assert joined(ANSWERS, "vote", sure, weak, weak).argmax() == 0


def test_labels_that_stand_alone_are_joined_one_by_one() -> None:
    task = build_task("classification", TOPICS)
    mean = joined(task, "mean", logit([0.8, 0.2]), logit([0.4, 0.1]))
    np.testing.assert_allclose(mean, logit([0.6, 0.15]), atol=1e-5)
    votes = joined(task, "vote", [1.0, -1], [1, 1], [9, -1])
    assert decoded(task, TEXT, votes).labels == ("a",)


def test_each_member_votes_by_its_own_threshold() -> None:
    eager, strict, plain = (
        build_task("classification", {**TOPICS, "thresholds": thresholds})
        for thresholds in ({"a": 0.3, "b": 0.3}, {"a": 0.9, "b": 0.3}, {})
    )
    # `a` holds for the eager one alone, `b` for both that ask for less than 0.4 of it.
    votes = joined([eager, strict, plain], "vote", *[logit([0.45, 0.4])] * 3)
    found = decoded(plain, TEXT, votes)
    assert found.labels == ("b",)
    assert found.label_scores["a"] == pytest.approx(1 / 3, abs=1e-5)
    one_alone = [logit([0.5, 0.4]), logit([0.5, 0.1]), logit([0.5, 0.1])]
    assert decoded(plain, TEXT, joined([eager] * 3, "vote", *one_alone)).labels == ("a",)


def test_each_member_corrects_what_it_met_too_seldom() -> None:
    seldom, often = (build_task("relations", {**PAIRS, "negatives": share}) for share in (0.3, 1.0))
    # Probabilities 4/7, 2/7 and 1/7 once the pairs that were left out are counted.
    logits = np.log([4 * 0.3, 2, 1])
    mean = joined([seldom, often], "mean", logits, np.log([4.0, 2.0, 1.0]))
    np.testing.assert_allclose(softmax(mean), [4 / 7, 2 / 7, 1 / 7], atol=1e-6)
    assert decoded(often, PAIR, joined(seldom, "vote", logits, logits, logits)).relations == ()
    up = np.log([0.3, 2, 1])
    (relation,) = decoded(often, PAIR, joined(seldom, "vote", up, up, logits)).relations
    assert relation.label == "up"
    assert relation.score == pytest.approx(2 / 3, abs=1e-5)


def test_relations_are_voted_on_by_threshold() -> None:
    sure = build_task("relations", {**PAIRS, "threshold": 0.7})
    plain = build_task("relations", PAIRS)
    logits = np.log([0.4, 0.6, 1e-6])
    assert decoded(plain, PAIR, joined([sure, sure, plain], "vote", *[logits] * 3)).relations == ()
    (relation,) = decoded(
        plain, PAIR, joined([sure, plain, plain], "vote", *[logits] * 3)
    ).relations
    assert relation.label == "up"


def test_parts_decide_for_themselves() -> None:
    settings = {
        "topics": {"name": "classification", **TOPICS, "thresholds": {"a": 0.3, "b": 0.3}},
        "pairs": {"name": "relations", **PAIRS, "negatives": 0.5},
    }
    task = build_task("multitask", {"parts": settings})
    output = {"topics-labels": logit([0.4, 0.2]), "pairs-relation": np.log([0.5, 1.0, 1.0])}
    corrected, decided = task.corrected(output), task.decided(output)
    np.testing.assert_allclose(softmax(corrected["pairs-relation"]), [1 / 3] * 3, atol=1e-6)
    assert (decided["topics-labels"] > 0).tolist() == [True, False]
    assert decided["pairs-relation"].argmax() == 0


def test_numbers_and_spans_are_joined_as_they_are_read() -> None:
    numbers = build_task("similarity", {})
    assert joined(numbers, "vote", [1.0], [2.0]) == pytest.approx([1.5])
    some = np.random.default_rng(2).normal(size=(2, 6, 2))
    found = joined(build_task("qa", {}), "mean", *some)
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


def test_a_member_is_what_a_model_is_made_of_and_no_more(tmp_path: Path) -> None:
    models = [write_tiny_model_folder(tmp_path / name, seed=ord(name)) for name in "abc"]
    names = {path.name for path in models[0].iterdir()}
    for left in ("rounds/0", "checkpoints", "logs"):
        shutil.copytree(models[1], models[0] / left)
    for left in ("importance.safetensors", "curves.png", "history.jsonl", "self-training.json"):
        (models[0] / left).write_text("left by training")
    both, three = tmp_path / "both", tmp_path / "three"
    assert call("ensemble", *models[:2], "--output", both).code == 0
    assert {path.name for path in (both / "member-1").iterdir()} == names
    assert call("ensemble", both, models[2], "--output", three).code == 0
    assert {path.name for path in (three / "member-1" / "member-2").iterdir()} == names
    text = "Lithium caused cardiac arrest."
    shutil.rmtree(both)
    assert Annotator(three).annotate(text).entities != Annotator(models[2]).annotate(text).entities


def test_an_ensemble_that_cannot_be_written_leaves_nothing(
    tiny_model: Path, tmp_path: Path
) -> None:
    member = tmp_path / "member"
    shutil.copytree(tiny_model, member)
    (member / "tokenizer_config.json").unlink()
    with pytest.raises(FileNotFoundError):
        write_ensemble(
            [member, tiny_model], tmp_path / "both", name="both", rule="mean", places=PLACES
        )
    assert list(tmp_path.iterdir()) == [member]


def test_ensembles_of_other_members_have_other_fingerprints(tmp_path: Path) -> None:
    models = [tmp_path / name for name in "abc"]
    for seed, model in enumerate(models):
        write_tiny_model_folder(model)
        replace(read_manifest(model), recipe={"run": {"seed": seed}}).write(model)
    prints = []
    for other in models[1:]:
        output = tmp_path / f"with-{other.name}"
        write_ensemble([models[0], other], output, name="both", rule="mean", places=PLACES)
        prints.append(Annotator(output).fingerprint)
    assert prints[0] != prints[1]


def test_models_that_answer_otherwise_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    genes = write_tiny_model_folder(tmp_path / "genes", labels=("Gene",))
    with pytest.raises(BadInputError, match="differ in labels"):
        write_ensemble([tiny_model, genes], tmp_path / "out", name="x", rule="mean", places=PLACES)
    settings = {"labels": ["a", "b"], "choice": "many", "thresholds": {"a": 0.3}}
    models = [
        write_tiny_model_folder(tmp_path / pooling, task="classification", others=settings | other)
        for pooling, other in (
            ("first", {"pooling": "first"}),
            ("mean", {"pooling": "mean", "thresholds": {}}),
        )
    ]
    with pytest.raises(BadInputError, match=r"differ in pooling$"):
        write_ensemble(models, tmp_path / "out", name="x", rule="mean", places=PLACES)
    with pytest.raises(BadInputError, match="at least two"):
        write_ensemble([tiny_model], tmp_path / "out", name="x", rule="mean", places=PLACES)
    assert (
        call("ensemble", tiny_model, tiny_model, "-o", tmp_path / "o", "--rule", "maen").code == 2
    )


@pytest.mark.parametrize(
    ("name", "settings", "rule", "words"),
    [
        ("embedding", {"learn": "dropout"}, "mean", "cannot be joined"),
        ("generation", {}, "mean", "cannot be joined"),
        ("qa", {}, "vote", "no vote"),
    ],
)
def test_what_cannot_be_joined_is_refused(
    name: str, settings: dict[str, str], rule: Rule, words: str
) -> None:
    with pytest.raises(BadInputError, match=words):
        EnsemblePredictor([Fixed("one", [0.0])], [build_task(name, settings)], rule=rule)
