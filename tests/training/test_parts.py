"""Batches, optimiser groups and schedules."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.batching import packed_rows
from biobert.model.hub import load_encoder
from biobert.model.network import Network
from biobert.tasks.ner import NamedEntityRecognition
from biobert.training.batches import collate, encode_rows, epoch_batches, mask_words
from biobert.training.optimizer import build_optimizer, schedule
from biobert.training.recipe import BatchSettings, OptimizerSettings, ScheduleSettings
from tests.tiny import tiny_tokenizer, write_tiny_encoder_folder


@pytest.fixture(scope="module")
def task() -> NamedEntityRecognition:
    return NamedEntityRecognition.from_settings({"labels": ["Chemical", "Disease"]})


@pytest.fixture
def network(task: NamedEntityRecognition, tmp_path: Path) -> Network:
    return Network(load_encoder(write_tiny_encoder_folder(tmp_path, layers=3)), task.heads())


def test_rows_that_teach_nothing_are_left_out(task: NamedEntityRecognition) -> None:
    (known, other) = task.toy_documents()
    unknown = replace(other, entities=(), annotated_labels=("Gene",))
    rows = encode_rows(task, [known, unknown], tiny_tokenizer())
    assert len(rows) == len(encode_rows(task, [known], tiny_tokenizer())) == 2


@given(
    st.lists(st.integers(1, 200), min_size=1, max_size=150),
    st.integers(50, 400),
    st.integers(0, 3),
)
def test_every_row_comes_once_and_batches_keep_the_budget(
    lengths: list[int], tokens: int, epoch: int
) -> None:
    settings = BatchSettings(tokens=tokens)
    batches = epoch_batches(lengths, settings, np.random.default_rng((1, epoch)))
    seen = Counter(int(row) for batch in batches for row in batch)
    assert seen == Counter(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[row] for row in batch)
        assert len(batch) == 1 or len(batch) * longest <= tokens
    again = epoch_batches(lengths, settings, np.random.default_rng((1, epoch)))
    assert all(np.array_equal(one, other) for one, other in zip(batches, again, strict=True))


def test_epochs_differ() -> None:
    lengths = list(range(1, 60))
    settings = BatchSettings(tokens=100)
    first, second = (
        epoch_batches(lengths, settings, np.random.default_rng(seed)) for seed in (1, 2)
    )
    assert [list(one) for one in first] != [list(one) for one in second]


def test_masking_hides_whole_words_and_no_special_token(task: NamedEntityRecognition) -> None:
    tokenizer = tiny_tokenizer()
    rows = encode_rows(task, task.toy_documents() * 40, tokenizer)
    batch = collate(rows, task.heads(), pad_id=0)
    mask_id = tokenizer.special("mask")
    hidden = mask_words(batch, rows, rate=0.3, mask_id=mask_id, generator=np.random.default_rng(1))
    masked = words = 0
    for number, row in enumerate(rows):
        changed = (hidden.token_ids[number] == mask_id).numpy()[: len(row.window)]
        assert not changed[row.window.words < 0].any()
        for word in range(row.window.words.max() + 1):
            pieces = changed[row.window.words == word]
            assert pieces.all() or not pieces.any()
            masked, words = masked + bool(pieces.any()), words + 1
    assert masked / words == pytest.approx(0.3, abs=0.06)
    assert torch.equal(hidden.targets["tags"], batch.targets["tags"])


def test_biases_and_norms_do_not_decay_and_lower_layers_learn_slower(network: Network) -> None:
    settings = OptimizerSettings(learning_rate=1e-3, layer_decay=0.5, head_learning_rate=1e-2)
    optimizer = build_optimizer(network, settings)
    found = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    rates = {name: found[id(one)] for name, one in network.named_parameters() if id(one) in found}
    assert rates["heads.tags.classifier.weight"] == (1e-2, 0.01)
    assert rates["heads.tags.classifier.bias"] == (1e-2, 0.0)
    for layer, factor in ((2, 0.5), (1, 0.25), (0, 0.125)):
        rate, decay = rates[f"encoder.layers.{layer}.attention.query.weight"]
        assert rate == pytest.approx(1e-3 * factor)
        assert decay == 0.01
        assert rates[f"encoder.layers.{layer}.attention_norm.weight"][1] == 0.0
    assert rates["encoder.embeddings.word.weight"][0] == pytest.approx(1e-3 * 0.0625)


@pytest.mark.parametrize(
    ("kind", "middle", "end"), [("linear", 0.5, 0.0), ("cosine", 0.5, 0.0), ("constant", 1.0, 1.0)]
)
def test_schedules_warm_up_and_come_down(kind: str, middle: float, end: float) -> None:
    factor = schedule(ScheduleSettings(kind=kind, warmup_fraction=0.2), steps=100)  # type: ignore[arg-type]
    assert factor(0) < factor(10) < factor(20) == pytest.approx(1.0, abs=0.06)
    assert factor(60) == pytest.approx(middle, abs=0.02)
    assert factor(100) == pytest.approx(end, abs=0.02)


def test_the_stable_schedule_stays_then_falls_steeply_to_zero() -> None:
    settings = ScheduleSettings(kind="stable", warmup_fraction=0.1, decay_fraction=0.2)
    factor = schedule(settings, steps=1000)
    assert {factor(step) for step in range(100, 800)} == {1.0}
    assert factor(850) == pytest.approx(0.5)
    assert factor(1000) == pytest.approx(0.0)


@given(st.lists(st.integers(1, 70), min_size=1, max_size=80))
def test_packed_rows_hold_everything_once_and_little_air(lengths: list[int]) -> None:
    rows = packed_rows(lengths, row_length=64)
    assert Counter(int(one) for row in rows for one in row) == Counter(range(len(lengths)))
    sizes = [sum(lengths[one] for one in row) for row in rows]
    assert all(size <= 64 or len(row) == 1 for size, row in zip(sizes, rows, strict=True))
    # Best fit never leaves two rows that would fit into one.
    assert sum(sorted(sizes)[:2]) > 64 or len(rows) == 1
