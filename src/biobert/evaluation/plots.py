"""Pictures of scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from textwrap import fill
from typing import Any

from biobert.core.errors import MissingExtraError
from biobert.evaluation.labels import ConfusionMatrix

MARKERS = "osD^vPX*"
NAME_WIDTH = 24


@dataclass(frozen=True, slots=True)
class SpeedPoint:
    """A model's speed and its score (0 to 1)."""

    name: str
    texts_per_second: float
    score: float


def plot_confusion(matrix: ConfusionMatrix, path: Path) -> None:
    """Draw the matrix with shares of each gold label's row, as a PNG."""
    pyplot = _pyplot()
    shares = matrix.counts / matrix.counts.sum(axis=1, keepdims=True).clip(1)
    size = 2.5 + 0.55 * len(matrix.labels)
    figure, axes = pyplot.subplots(figsize=(size + 0.8, size), layout="constrained")
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(matrix.labels)), matrix.labels, rotation=45, ha="right")
    axes.set_yticks(range(len(matrix.labels)), matrix.labels)
    axes.set(xlabel="predicted", ylabel="gold")
    for row, counts in enumerate(matrix.counts):
        for column, count in enumerate(counts):
            colour = "white" if shares[row, column] > 0.55 else "#333333"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=7)
    figure.colorbar(image, label="share of the gold label", shrink=0.8)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def plot_speed(points: Sequence[SpeedPoint], path: Path, *, unit: str) -> None:
    """Draw scores against speeds, as a PNG: the best models stand at the top right."""
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=(7.6, 4.2), layout="constrained")
    for number, one in enumerate(points):
        axes.scatter(
            one.texts_per_second,
            100 * one.score,
            color=f"C{number % 10}",
            marker=MARKERS[number % len(MARKERS)],
            label=fill(one.name, NAME_WIDTH),
        )
    # Beside the axes: names at the points of models that are alike would hide each other.
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    axes.margins(0.1)
    axes.set_xlim(left=0)
    axes.set(xlabel=f"{unit}s a second", ylabel="score")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _pyplot() -> Any:
    if find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "plots")
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
