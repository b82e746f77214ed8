"""How fast a run learns, by values counted by hand."""

from itertools import chain, repeat

import pytest
import torch

from biobert.model.encoder import Encoder
from biobert.model.flops import training_flops_per_token
from biobert.model.settings import EncoderSettings
from biobert.tasks.pretraining import PAIRS, WORDS
from biobert.training import speed
from biobert.training.batches import Batch
from biobert.training.speed import StepClock

SETTINGS = EncoderSettings(
    vocabulary_size=50, hidden_size=8, layers=2, heads=2, intermediate_size=16
)
LAYERS = 2 * (4 * 8 * 8 + 2 * 8 * 16)
"""Weights of two layers: query, key, value and output, and the two of the feed-forward."""
HEAD = 8 * 8 + 8 * 50


def batch(*, packed: bool) -> Batch:
    """Two sequences of 10 tokens, of which 4 are hidden."""
    rows, width = (1, 20) if packed else (2, 10)
    positions = torch.arange(20).view(rows, width) % 10
    return Batch(
        token_ids=torch.zeros(rows, width, dtype=torch.long),
        segment_ids=torch.zeros(rows, width, dtype=torch.long),
        mask=(torch.arange(20) // 10 + 1).view(rows, width) if packed else None,
        targets={},
        tokens=20,
        positions=positions if packed else None,
        selected={WORDS: torch.arange(4), PAIRS: torch.arange(2)},
    )


def test_a_token_costs_six_operations_a_weight_and_twelve_a_pair() -> None:
    cost = training_flops_per_token(SETTINGS, length=10, predicted_share=0.2)
    # Forwards 2 layers * 2 products * 2 operations * 8 units * 10 tokens; backwards twice as much.
    attention = 3 * 2 * 2 * 2 * 8 * 10
    assert cost == pytest.approx(6 * LAYERS + attention + 6 * 0.2 * HEAD)


@pytest.mark.parametrize("packed", [True, False])
def test_the_clock_counts_steps_and_leaves_out_what_is_none(
    monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    # A step of 2 us; an hour for a checkpoint; the first step after it is not timed.
    times = chain([0.0, 2e-6], repeat(3600.0))
    monkeypatch.setattr(speed.time, "perf_counter", lambda: next(times))
    clock = StepClock(Encoder(SETTINGS), processes=3, peak_teraflops=1.0)
    clock.tick([batch(packed=packed)])
    assert clock.figures() == {"tokens_per_second": 0.0}
    clock.tick([batch(packed=packed)] * 2)
    clock.restart()
    clock.tick([batch(packed=packed)])
    each = 20 * training_flops_per_token(SETTINGS, length=10, predicted_share=0.2)
    figures = clock.figures()
    assert figures["tokens_per_second"] == pytest.approx(3 * 40 / 2e-6)
    assert figures["teraflops"] == pytest.approx(3 * 2 * each / 2e-6 / 1e12, abs=1e-4)
    assert figures["utilisation"] == pytest.approx(2 * each / 2e-6 / 1e12, abs=1e-4)
