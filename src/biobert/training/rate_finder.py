"""The learning-rate range test: how the loss goes while the rate grows at every step.

Smith 2015 (arXiv:1506.01186), section 3.3, with a rate that grows by a factor instead of a sum.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from biobert.core.errors import BadInputError
from biobert.core.task import Scores
from biobert.training.loop import DivergedError, Listener, StepReport, TrainingLoop
from biobert.training.material import RunPlaces, read_material
from biobert.training.parallel import check_one_process
from biobert.training.recipe import Recipe
from biobert.training.start import build_learner

MEMORY = 0.9
"""Share of the past in the smoothed loss."""
BLOWN_UP = 2.0
"""A smoothed loss of so many times the lowest ends the test."""
NEVER = 1 << 60


@dataclass(frozen=True, slots=True)
class RangeSettings:
    """From which rate to which, in how many steps."""

    lowest: float = 1e-6
    highest: float = 1e-2
    steps: int = 100

    def __post_init__(self) -> None:
        if not 0.0 < self.lowest < self.highest or self.steps < 10:
            raise BadInputError(
                f"rates from {self.lowest} to {self.highest} in {self.steps} steps: the lowest "
                "above 0 and below the highest, at least 10 steps",
                code="usage",
            )

    def rate(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        done = step / (self.steps - 1)
        return float(self.lowest * (self.highest / self.lowest) ** done)


@dataclass(frozen=True, slots=True)
class RangePoint:
    """One step of the test; `smoothed` is the running mean, freed of its start at zero."""

    rate: float
    loss: float
    smoothed: float


@dataclass(frozen=True, slots=True)
class RangeTest:
    """What the test saw; `suggested` is a tenth of the rate with the lowest smoothed loss."""

    points: Sequence[RangePoint]

    @property
    def suggested(self) -> float:
        """A rate to begin with."""
        return min(self.points, key=lambda point: point.smoothed).rate / 10.0


class _BlownUpError(Exception):
    """The loss has grown: the test has seen enough."""


class _Watch:
    """Keeps the loss of every step, and ends the run when it grows."""

    def __init__(self, settings: RangeSettings, listener: Listener) -> None:
        self.points: list[RangePoint] = []
        self._settings = settings
        self._listener = listener
        self._mean = 0.0

    def noted(self, message: str) -> None:
        self._listener.noted(message)

    def stepped(self, report: StepReport) -> None:
        self._listener.stepped(report)
        self._mean = MEMORY * self._mean + (1.0 - MEMORY) * report.loss
        smoothed = self._mean / (1.0 - MEMORY**report.step)
        rate = self._settings.rate(report.step - 1)
        self.points.append(RangePoint(rate, report.loss, smoothed))
        if smoothed > BLOWN_UP * min(point.smoothed for point in self.points):
            raise _BlownUpError

    def evaluated(self, step: int, scores: dict[str, Scores], main: float) -> None:
        """Nothing is scored."""


def find_learning_rate(
    recipe: Recipe, places: RunPlaces, settings: RangeSettings, *, listener: Listener
) -> RangeTest:
    """Train a copy of the recipe's start for some steps; nothing of it is kept.

    The folder `places.output`, for what is drawn of it, is made first: it may not be writable. Runs
    in one process.
    """
    check_one_process("find-rate")
    places.output.mkdir(parents=True, exist_ok=True)
    recipe = _short(recipe, settings.steps)
    torch.manual_seed(recipe.run.seed)
    learner = build_learner(recipe, listener.noted)
    material = read_material(recipe, places, learner, listener.noted)
    base = recipe.optimizer.learning_rate
    watch = _Watch(settings, listener)
    with tempfile.TemporaryDirectory() as folder:
        loop = TrainingLoop(
            recipe,
            learner,
            material.source,
            output=Path(folder),
            listener=watch,
            factor=lambda step: settings.rate(step) / base,
        )
        try:
            loop.run(resume=False)
        except (_BlownUpError, DivergedError) as end:
            if not watch.points:
                raise BadInputError(f"the first step already failed: {end}") from None
    return RangeTest(tuple(watch.points))


def plot_range_test(test: RangeTest, path: Path) -> None:
    """Draw loss over rate, with the suggested rate, as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rates = [point.rate for point in test.points]
    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    axes.plot(rates, [point.loss for point in test.points], color="#c6d4e1", linewidth=0.7)
    axes.plot(rates, [point.smoothed for point in test.points], color="#1f5f99")
    axes.axvline(test.suggested, color="#c2571a", label=f"suggested: {test.suggested:.1e}")
    axes.set(xscale="log", xlabel="learning rate", ylabel="training loss", ylim=(0, None))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120, format="png")
    pyplot.close(figure)


def _short(recipe: Recipe, steps: int) -> Recipe:
    """The recipe for as many steps, of which nothing is scored, averaged or tracked."""
    run = replace(
        recipe.run,
        steps=steps,
        evaluate_every_steps=None,
        checkpoint_every_steps=NEVER,
        trackers=(),
    )
    return replace(recipe, run=run, averaging=None)
