"""Loss and score curves of a run as a PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SMOOTHING_STEPS = 25


def plot_curves(history: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the loss of every step (with a running mean) and the devel score of every epoch."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    losses = [(row["step"], row["loss"]) for row in history if "loss" in row]
    scores = [(row["step"], row["score"]) for row in history if "score" in row]
    figure, left = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    steps, values = [step for step, _ in losses], [value for _, value in losses]
    left.plot(steps, values, color="#c6d4e1", linewidth=0.7, label="loss of a step")
    left.plot(steps, _running_mean(values), color="#1f5f99", label="loss, running mean")
    left.set(xlabel="step", ylabel="training loss", ylim=(0, None))
    if scores:
        right = left.twinx()
        right.plot(*zip(*scores, strict=True), "o-", color="#c2571a", label="devel score")
        right.set(ylabel="devel score")
        right.legend(loc="lower right", frameon=False)
    left.legend(loc="upper right", frameon=False)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _running_mean(values: Sequence[float]) -> list[float]:
    means: list[float] = []
    for number in range(len(values)):
        recent = values[max(0, number - SMOOTHING_STEPS + 1) : number + 1]
        means.append(sum(recent) / len(recent))
    return means
