"""What every task on the shelf must do."""

import numpy as np
import pytest

from biobert.core.certainty import certainty_of
from biobert.core.errors import BadInputError
from biobert.core.task import IGNORED, Task, Window
from biobert.tasks import SHELF, build_task
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
TOY_SETTINGS = {
    "ner": {"labels": ["Chemical", "Disease"]},
    "pretraining": {},
    "classification": {
        "labels": ["yes", "no", "maybe"],
        "passages": ["question", "context"],
    },
    "cloze": {
        "labels": ["yes", "no", "maybe"],
        "pattern": "{question} [MASK]. {context}",
        "verbalisers": {"yes": ["yes"], "no": ["no"], "maybe": ["maybe", "perhaps"]},
    },
    "qa": {"no_answer_margin": 0.0},
    "similarity": {},
    "relations": {
        "labels": ["INHIBITOR", "ACTIVATOR"],
        "negative": "none",
        "pairs": [["Chemical", "Gene"]],
    },
    "embedding": {"passages": ["question", "context"]},
    "generation": {},
    "multitask": {
        "parts": {
            "names": {"name": "ner", "labels": ["Chemical", "Disease"]},
            "answers": {"name": "classification", "labels": ["yes", "no", "maybe"]},
        }
    },
    "sentences": {"labels": ["METHODS", "RESULTS"]},
    "pos": {"labels": ["(", ")", ".", "DT", "JJ", "NN", "NNS", "VBZ"]},
}


@pytest.fixture(params=SHELF.names())
def task(request: pytest.FixtureRequest) -> Task:
    """Each task, with settings that fit its toy documents."""
    return build_task(request.param, TOY_SETTINGS[request.param])


def test_settings_make_an_equal_task(task: Task) -> None:
    again = build_task(task.name, task.settings())
    assert again.settings() == task.settings()
    assert again.heads() == task.heads()


def test_targets_fit_the_heads_and_windows(task: Task) -> None:
    for document in task.toy_documents():
        examples = task.examples(document)
        for example, windows in zip(examples, task.encode(examples, TOKENIZER), strict=True):
            for window, targets in zip(windows, task.targets(example, windows), strict=True):
                for head in task.heads():
                    expected = (head.target_width,)
                    if head.kind in ("token", "vocabulary"):
                        expected = (len(window), *expected)
                    if head.kind == "text":
                        expected = (len(window.written), *expected)
                    assert targets[head.name].shape == expected


def test_perfect_outputs_decode_to_the_gold_and_score_one(task: Task) -> None:
    gold = task.toy_documents()
    predicted, all_windows, all_outputs = [], [], []
    for document in gold:
        examples = task.examples(document)
        windows = task.encode(examples, TOKENIZER)
        outputs = [
            [
                _certain(task, window, targets)
                for window, targets in zip(parts, task.targets(example, parts), strict=True)
            ]
            for example, parts in zip(examples, windows, strict=True)
        ]
        predicted.append(task.decode(document, windows, outputs))
        for example, parts, answers in zip(examples, windows, outputs, strict=True):
            assert certainty_of(task, example, parts, answers, predicted[-1]) > 0.999
        all_windows.append(windows)
        all_outputs.append(outputs)
    assert task.decode_many(gold, all_windows, all_outputs) == predicted
    scores = task.score(gold, predicted)
    assert scores.main == 1.0
    assert scores.micro.support > 0
    counts = task.counts(gold, predicted)
    assert counts is None or (counts[:, 0].sum() > 0 and (counts == counts[:, :1]).all())


def test_answers_are_scored_beside_their_own_texts(task: Task) -> None:
    gold = task.toy_documents()
    for predicted in (gold[:1], gold[::-1]):
        with pytest.raises(BadInputError, match="predicted"):
            task.score(gold, predicted)
    assert task.score([], []).main == 0.0


def _certain(task: Task, window: Window, targets):  # type: ignore[no-untyped-def]
    """Logits that say what the targets say; what no corpus annotates is `outside`."""
    outputs = {}
    for head in task.heads():
        gold = np.where(targets[head.name] == IGNORED, 0, targets[head.name])
        if head.kind == "vector":
            group = np.random.default_rng(int(gold[0]))
            outputs[head.name] = group.standard_normal(16).astype(np.float32)
            continue
        if head.kind == "text":
            text = TOKENIZER.text(gold[:, 0].tolist())
            outputs[head.name] = np.array([ord(one) for one in text], dtype=np.float32)
            continue
        if head.kind == "span":
            places = np.arange(len(window))[:, None]
            outputs[head.name] = np.where(places == gold, 50.0, 0.0).astype(np.float32)
            continue
        if head.loss == "squared-error":
            outputs[head.name] = gold.astype(np.float32)
            continue
        if head.loss == "binary":
            outputs[head.name] = np.where(gold > 0, 50.0, -50.0).astype(np.float32)
            continue
        widths = [len(group.labels) for group in head.groups] or [TOKENIZER.vocabulary_size]
        groups = [
            50.0 * np.eye(width, dtype=np.float32)[gold[..., number]]
            for number, width in enumerate(widths)
        ]
        outputs[head.name] = np.concatenate(groups, axis=-1)
    return outputs


def test_each_says_what_its_score_is(task: Task) -> None:
    assert task.measure() not in ("", "score")
