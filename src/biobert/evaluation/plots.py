"""Pictures of scores."""

from importlib.util import find_spec
from pathlib import Path

from biobert.core.errors import MissingExtraError
from biobert.evaluation.labels import ConfusionMatrix


def plot_confusion(matrix: ConfusionMatrix, path: Path) -> None:
    """Draw the matrix with shares of each gold label's row, as a PNG."""
    if find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "plots")
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

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
