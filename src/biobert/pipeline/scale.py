"""Annotation on many machines with Ray Data: the same engine, a stage of a few inputs at a time."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.data import ActorPoolStrategy, DataContext

from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import STANDARD_STREAM
from biobert.data.ray_cluster import on_cluster
from biobert.data.rejects import Rejects
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.batch import (
    Advance,
    BatchResult,
    Destination,
    annotate_outputs,
    is_folder,
    planned_folder,
)
from biobert.pipeline.inputs import named_place
from biobert.pipeline.outputs import InputOutputs

INPUTS_IN_PART = 8
"""A worker answers for at most so many inputs at a time: what a lost machine costs is little."""


@dataclass(frozen=True, slots=True)
class RayWorkers:
    """How many annotators work at once, and the cores that each takes."""

    count: int
    cores: int = 1

    def __post_init__(self) -> None:
        if min(self.count, self.cores) < 1:
            raise BadInputError(f"{self.count} workers of {self.cores} cores: at least one of each")


def annotate_on_ray(
    inputs: Sequence[str],
    make: Callable[[], Annotator],
    settings: Destination,
    rejects: Rejects,
    *,
    workers: RayWorkers,
    advance: Advance = lambda count, name: None,
) -> BatchResult:
    """Annotate inputs into a folder, on the Ray cluster of this process or of this machine.

    Every machine must find the inputs, the model, this package and the output folder at the same
    absolute paths. `make` builds a worker's annotator, which should take `workers.cores` threads;
    it is built once here too, so that a wrong call is an error before workers start. An input is
    marked as done here, when its worker has written it: a run that stops goes on.
    """
    inputs, settings = _places_of_all(inputs, settings)
    began = time.perf_counter()
    annotator = make()
    result = BatchResult(annotator.name)
    with planned_folder(inputs, annotator, settings) as plan:
        del annotator
        result.skipped = plan.skipped
        rejects.extend(plan.rejects)
        for part in _parts_done(plan.waiting, make, settings, workers):
            rejects.extend(part["rejects"])
            for path, own in part["done"].items():
                plan.done(path, own)
            if part["problem"] is not None:
                raise part["problem"]
            result.add(part["result"])
            advance(result.documents, part["inputs"][-1].path)
    result.seconds = time.perf_counter() - began
    return result


def _places_of_all(inputs: Sequence[str], settings: Destination) -> tuple[list[str], Destination]:
    """Absolute paths, since the workers of a cluster have a working folder of their own."""
    if settings.output is None or not is_folder(settings):
        raise BadInputError("many workers write into a folder: name one as --output", code="usage")
    if STANDARD_STREAM in inputs:
        raise BadInputError(
            "many workers read files: standard input is this process's own", code="usage"
        )
    # The separator says that it is a folder, whatever it is called.
    folder = os.path.join(named_place(settings.output), "")  # noqa: PTH118
    return [named_place(one) for one in inputs], replace(settings, output=folder)


def _parts_done(
    waiting: Sequence[InputOutputs],
    make: Callable[[], Annotator],
    settings: Destination,
    workers: RayWorkers,
) -> Iterator[dict[str, Any]]:
    """What each part of the inputs came to, as parts are done."""
    # Of a few large inputs every worker gets some.
    size = min(INPUTS_IN_PART, -(-len(waiting) // workers.count)) or 1
    parts = [waiting[start : start + size] for start in range(0, len(waiting), size)]
    if not parts:
        return
    with on_cluster():
        context = DataContext.get_current().copy()
        context.enable_progress_bars = False
        with DataContext.current(context):
            rows = ray.data.from_items(
                [{"inputs": part} for part in parts], override_num_blocks=len(parts)
            ).map(
                _Worker,
                fn_constructor_args=(make, settings),
                compute=ActorPoolStrategy(size=min(workers.count, len(parts))),
                num_cpus=workers.cores,
            )
            yield from rows.iter_rows()


class _Worker:
    """An annotator that lives as long as the cluster has inputs for it."""

    def __init__(self, make: Callable[[], Annotator], settings: Destination) -> None:
        self.annotator = make()
        self.settings = settings

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        rejects, done = Rejects(), dict[str, Rejects]()
        result: BatchResult | None = None
        problem: BadInputError | OSError | None = None
        try:
            result = annotate_outputs(
                row["inputs"], self.annotator, self.settings, rejects, done.__setitem__
            )
        except BiobertError as error:
            # Raised here it would come out wrapped in an error of Ray's.
            problem = BadInputError(str(error), code=error.code)
        except OSError as error:  # a full disk
            problem = error
        return {**row, "result": result, "problem": problem, "rejects": rejects, "done": done}
