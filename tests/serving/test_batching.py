"""Windows of many requests in one batch: fair, bounded, and each gets its own."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biobert.core.task import Window
from biobert.pipeline.load import LoadedModel, load_model
from biobert.serving.batching import (
    Batcher,
    BatchFigures,
    Job,
    JobPredictor,
    JobStoppedError,
    TokensRead,
)
from biobert.serving.settings import BatchingSettings


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> LoadedModel:
    return load_model(tiny_model)


@pytest.fixture
def batches() -> list[BatchFigures]:
    return []


@pytest.fixture
def batcher(batches: list[BatchFigures]) -> Iterator[Batcher]:
    made = Batcher(BatchingSettings(tokens=64, wait_milliseconds=30.0), batches.append)
    yield made
    made.close()


def window(length: int) -> Window:
    ids = np.arange(5, 5 + length, dtype=np.int64)
    return Window(ids, ids * 0, np.stack([ids, ids + 1], axis=1), ids, slice(0, length))


def test_outputs_are_those_of_the_predictor(
    batcher: Batcher, batches: list[BatchFigures], model: LoadedModel
) -> None:
    groups = [[window(3 + number % 9) for number in range(size)] for size in (1, 2, 30, 1)]

    def predicted(windows: list[Window]) -> list[np.ndarray]:
        predictor = JobPredictor(batcher, model.predictor, Job(30.0), TokensRead())
        return [one["tags"] for one in predictor.predict(windows)]

    with ThreadPoolExecutor(4) as requests:
        found = list(requests.map(predicted, groups))
    for windows, outputs in zip(groups, found, strict=True):
        expected = [one["tags"] for one in model.predictor.predict(windows)]
        for one, other in zip(outputs, expected, strict=True):
            assert np.abs(one - other).max() < 1e-5
    longest = max(len(one) for group in groups for one in group)
    assert all(one.tokens < 64 + longest for one in batches)
    assert sum(one.windows for one in batches) == 34
    assert any(one.requests > 1 for one in batches)


def test_a_small_request_does_not_wait_for_a_large_one(
    batcher: Batcher, model: LoadedModel
) -> None:
    large = [window(40) for _ in range(400)]
    ends: dict[str, float] = {}

    def run(name: str, windows: list[Window]) -> None:
        batcher.predict(model.predictor, windows, Job(60.0))
        ends[name] = time.monotonic()

    with ThreadPoolExecutor(2) as requests:
        first = requests.submit(run, "large", large)
        time.sleep(0.05)
        requests.submit(run, "small", [window(4)]).result()
        assert not first.done(), "the small request came last"
        first.result()
    assert ends["small"] < ends["large"]


def test_what_nobody_waits_for_leaves_the_queue(
    batcher: Batcher, batches: list[BatchFigures], model: LoadedModel
) -> None:
    job = Job(30.0)
    with ThreadPoolExecutor(1) as requests:
        waiting = requests.submit(batcher.predict, model.predictor, [window(4)], job)
        time.sleep(0.01)
        job.stop()
        batcher.forget(job)
        with pytest.raises(JobStoppedError):
            waiting.result()
    with pytest.raises(JobStoppedError):
        batcher.predict(model.predictor, [window(4)], job)
    batcher.predict(model.predictor, [window(5)], Job(30.0))
    assert [one.tokens for one in batches] == [5]


def test_a_job_whose_time_is_over_stops(batcher: Batcher, model: LoadedModel) -> None:
    with pytest.raises(JobStoppedError):
        batcher.predict(model.predictor, [window(4)], Job(0.005))


def test_a_job_may_be_given_all_time(batcher: Batcher, model: LoadedModel) -> None:
    """More than the system can wait for."""
    assert len(batcher.predict(model.predictor, [window(4)], Job(1e12))) == 1


def test_each_text_has_its_own_share_of_unknown_pieces(
    batcher: Batcher, model: LoadedModel
) -> None:
    """One for all of a request would be a drift: so many texts that are alike."""
    read = TokensRead()
    predictor = JobPredictor(batcher, model.predictor, Job(30.0), read, unknown_id=7)
    predictor.predict([window(4), window(2), window(8), window(2)])
    assert read.tokens == 16
    assert read.unknown_rates(4) == [1 / 4, 0.0, 1 / 8, 0.0]
    assert read.unknown_rates(2) == [1 / 6, 1 / 10]
    # A text without rows of its own has its neighbour's.
    assert read.unknown_rates(6) == [1 / 4, 1 / 4, 0.0, 1 / 8, 1 / 8, 0.0]
    assert TokensRead().unknown_rates(2) == [0.0, 0.0]


def test_a_batch_that_fails_harms_no_other(batcher: Batcher, model: LoadedModel) -> None:
    beyond = replace(window(3), token_ids=np.array([10**6] * 3))
    with pytest.raises(IndexError):
        batcher.predict(model.predictor, [beyond], Job(30.0))
    assert len(batcher.predict(model.predictor, [window(4)], Job(30.0))) == 1


def test_a_watcher_that_fails_harms_no_later_batch(model: LoadedModel) -> None:
    problems = [OSError("no space for figures")]

    def watch(figures: BatchFigures) -> None:
        if problems:
            raise problems.pop()

    batcher = Batcher(BatchingSettings(), watch)
    with pytest.raises(OSError, match="no space"):
        batcher.predict(model.predictor, [window(4)], Job(30.0))
    assert len(batcher.predict(model.predictor, [window(4)], Job(30.0))) == 1
    batcher.close()


def test_closing_finishes_what_was_taken(model: LoadedModel) -> None:
    batcher = Batcher(BatchingSettings(tokens=8, wait_milliseconds=200.0))
    with ThreadPoolExecutor(1) as requests:
        waiting = requests.submit(batcher.predict, model.predictor, [window(4)] * 20, Job(30.0))
        time.sleep(0.02)
        batcher.close()
        assert len(waiting.result()) == 20
    with pytest.raises(JobStoppedError):
        batcher.predict(model.predictor, [window(4)], Job(30.0))
