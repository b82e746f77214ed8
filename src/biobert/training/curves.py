"""The curves of a run as a PNG: a panel for each figure, a line in it for each devel set."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from biobert.core.files import temporary_sibling
from biobert.training.history import by_detail

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 2
PANEL_INCHES = (5.0, 2.6)
SMOOTHING_STEPS = 25
SECONDS_BETWEEN = 30.0
FAR = 20.0
"""What changes by such a factor is drawn on a logarithmic scale."""
BLUE, PALE = "#1f5f99", "#c6d4e1"
History = Sequence[Mapping[str, Any]]
Points = list[tuple[int, float]]


class LiveCurves:
    """`curves.png` of a run that goes on, drawn so rarely that it costs nothing."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.drawn = time.monotonic()

    def update(self, history: History) -> None:
        """Draw again if the last picture is SECONDS_BETWEEN old."""
        if time.monotonic() - self.drawn >= SECONDS_BETWEEN:
            plot_curves(history, self.output)
            self.drawn = time.monotonic()


def plot_curves(history: History, output: Path) -> None:
    """Draw training loss, speed and every figure that was scored on devel into `curves.png`."""
    from matplotlib.figure import Figure

    scored = scored_points(history)
    rows = -(-(2 + len(scored)) // COLUMNS)
    size = COLUMNS * PANEL_INCHES[0], rows * PANEL_INCHES[1]
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    _draw_loss(panels[0], _points(history, "loss"))
    _draw_speed(panels[1], _points(history, "tokens_per_second"))
    for axes, (name, by_set) in zip(panels[2:], scored.items(), strict=False):
        _draw_scores(axes, name, by_set)
    for axes in panels[2 + len(scored) :]:
        axes.remove()
    if scored:
        names = panels[2].get_legend_handles_labels()
        figure.legend(*names, loc="outside upper center", ncols=2, frameon=False)
    with temporary_sibling(output / "curves.png") as unfinished:
        figure.savefig(unfinished, dpi=120, format="png")
        os.replace(unfinished, output / "curves.png")


def scored_points(history: History) -> dict[str, dict[str, Points]]:
    """The points of every figure that was scored, by its name and then by devel set."""
    found: dict[str, dict[str, Points]] = {}
    for row in (one for one in history if "scores" in one):
        for name, by_set in by_detail(row["scores"]).items():
            for devel_set, value in by_set.items():
                points = found.setdefault(name, {}).setdefault(devel_set, [])
                points.append((row["step"], value))
    return found


def _draw_loss(axes: "Axes", points: Points) -> None:
    steps, losses = _columns(points)
    axes.plot(steps, losses, color=PALE, linewidth=0.7)
    axes.plot(steps, _running_mean(losses), color=BLUE)
    axes.set(title=f"training loss, mean of {SMOOTHING_STEPS} steps", xlabel="step", ylim=(0, None))


def _draw_speed(axes: "Axes", points: Points) -> None:
    # The first step has none: a step is timed from the end of the one before.
    axes.plot(*_columns([point for point in points if point[1]]), color=BLUE)
    axes.set(title="tokens a second", xlabel="step", ylim=(0, None))


def _draw_scores(axes: "Axes", name: str, by_set: Mapping[str, Points]) -> None:
    for devel_set, points in by_set.items():
        axes.plot(*_columns(points), "o-", markersize=3, label=devel_set)
    axes.set(title=f"devel: {name.replace('_', ' ')}", xlabel="step")
    values = [value for points in by_set.values() for _, value in points]
    if min(values) > 0 and max(values) > FAR * min(values):
        axes.set_yscale("log")


def _points(history: History, name: str) -> Points:
    return [(row["step"], row[name]) for row in history if name in row]


def _columns(points: Points) -> tuple[list[int], list[float]]:
    return [step for step, _ in points], [value for _, value in points]


def _running_mean(values: Sequence[float]) -> np.ndarray:
    sums = np.cumsum([0.0, *values])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - SMOOTHING_STEPS)
    means: np.ndarray = (sums[ends] - sums[starts]) / (ends - starts)
    return means
