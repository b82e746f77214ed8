"""The turns of a suite side by side, each in a process of its own.

One process hardly fills a GPU with a compact model, and two cores learn more from two runs of one
thread than from one of two.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biobert.core.errors import BiobertError
from biobert.pipeline.suite.description import SeedAndFold, SuiteModel
from biobert.pipeline.suite.run import SuiteRun
from biobert.pipeline.train import train
from biobert.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from biobert.data.places import CorpusPlaces

Failed = dict[tuple[str, SeedAndFold], str]


def finish_side_by_side(run: SuiteRun, *, jobs: int) -> Failed:
    """Train and score all turns, so many at a time, and say why those failed that did.

    Turns that begin from others come after them.
    """
    threads = max(1, RuntimeSettings().cores // jobs)
    failures: Failed = {}
    # Spawned: this process may have threads, and a GPU cannot be shared with a fork.
    with ProcessPoolExecutor(
        jobs, get_context("spawn"), initializer=_begin, initargs=(threads,)
    ) as pool:
        try:
            for models in _rounds(run.suite.models):
                _finish_round(run, models, pool, failures)
        except BrokenProcessPool:
            raise BiobertError(
                "a process that trained died, perhaps for want of memory; go on with the same "
                "command and fewer --jobs"
            ) from None
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failures


def _finish_round(
    run: SuiteRun, models: Sequence[SuiteModel], pool: ProcessPoolExecutor, failures: Failed
) -> None:
    """All turns of models of which none begins from another; adds what fails to `failures`."""
    mute = replace(run, train=partial(_train, places=run.places), note=_say_nothing)
    waiting: dict[Future[str], tuple[SuiteModel, SeedAndFold]] = {}
    for model in models:
        for turn in model.turns(run.suite.seeds):
            start = (model.start or "", SeedAndFold(turn.seed))
            if start in failures:
                failures[model.folder, turn] = f"{model.start}, its start: {failures[start]}"
            else:
                waiting[pool.submit(_finish, mute, model, turn)] = model, turn
    for one in as_completed(waiting):
        model, turn = waiting[one]
        if failure := one.result():
            failures[model.folder, turn] = failure
        run.note(f"{model.folder}, {turn.folder}: {failure or 'trained and scored'}")


def _rounds(models: Sequence[SuiteModel]) -> list[list[SuiteModel]]:
    """Models in rounds: each begins from none of its own round or a later one."""
    depths: dict[str, int] = {}
    for model in models:  # a start stands before those that begin from it
        depths[model.folder] = 0 if model.start is None else depths[model.start] + 1
    deepest = max(depths.values())
    return [[one for one in models if depths[one.folder] == depth] for depth in range(deepest + 1)]


def _finish(run: SuiteRun, model: SuiteModel, turn: SeedAndFold) -> str:
    """Nothing, or why it failed: an error's own attributes do not travel between processes."""
    try:
        run.finish(model, turn)
    except BiobertError as problem:
        return str(problem)
    return ""


def _begin(threads: int) -> None:
    from biobert.training.parallel import take_threads

    take_threads(threads)


def _train(tables: Mapping[str, Any], folder: Path, *, places: "CorpusPlaces") -> None:
    train(tables, folder, places=places, resume=True)


def _say_nothing(message: str) -> None:
    pass
