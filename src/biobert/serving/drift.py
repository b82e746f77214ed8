"""Whether what comes in still looks like what came in before: population stability indices.

PSI = sum over bins of (p - q) ln(p / q), for the shares p now and q in the reference (Siddiqi 2006,
Credit Risk Scorecards). By custom, below 0.1 is alike, above 0.25 is another population.
"""

import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np
import numpy.typing as npt

from biobert.core.document import Document
from biobert.serving.settings import DriftSettings


@dataclass(frozen=True, slots=True)
class InputFigures:
    """One text: characters, the share of unknown word pieces, entities in 1000 characters."""

    length: float
    unknown_rate: float
    entity_rate: float


FEATURES = tuple(field.name for field in fields(InputFigures))
BORDERS: Mapping[str, tuple[float, ...]] = {
    "length": (50, 100, 200, 400, 800, 1_200, 1_600, 2_400, 5_000, 20_000),
    "unknown_rate": (0.0005, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2),
    "entity_rate": (0.5, 2, 4, 6, 8, 12, 16, 24, 40),
}
SMOOTHING = 0.5
"""Added to every bin, so that an empty one does not make the index infinite."""
FEWEST = 200
"""Fewer texts say nothing: of 50 of one and the same population a third are beyond 0.25."""

Counts = dict[str, npt.NDArray[np.int64]]


class Drift:
    """Compares the last texts of a model with a reference: the first ones there were."""

    def __init__(self, settings: DriftSettings) -> None:
        self._settings = settings
        self._reference = _empty()
        self._left = settings.documents
        self._recent: deque[tuple[int, ...]] = deque()
        self._current = _empty()
        self._lock = threading.Lock()

    def add(self, texts: Sequence[InputFigures]) -> None:
        """Count texts: for the reference while it is made, then for the comparison."""
        with self._lock:
            for text in texts:
                bins = tuple(
                    bisect_right(BORDERS[name], value)
                    for name, value in zip(FEATURES, astuple(text), strict=True)
                )
                if self._left:
                    self._left -= 1
                    _count(self._reference, bins, 1)
                else:
                    self._compare(bins)

    def scores(self) -> dict[str, float]:
        """The index of each feature; none before there is a reference and enough to compare."""
        with self._lock:
            if self._left or len(self._recent) < min(FEWEST, self._settings.window):
                return {}
            return {
                name: stability(self._reference[name], self._current[name]) for name in FEATURES
            }

    def _compare(self, bins: tuple[int, ...]) -> None:
        self._recent.append(bins)
        _count(self._current, bins, 1)
        if len(self._recent) > self._settings.window:
            _count(self._current, self._recent.popleft(), -1)


def figures_of(document: Document, unknown_rate: float) -> InputFigures:
    """The figures of a text as it was answered."""
    length = len(document.text)
    return InputFigures(length, unknown_rate, 1000.0 * len(document.entities) / max(1, length))


def stability(reference: npt.NDArray[np.int64], current: npt.NDArray[np.int64]) -> float:
    """The population stability index of two histograms (bins,)."""
    expected = (reference + SMOOTHING) / (reference + SMOOTHING).sum()
    found = (current + SMOOTHING) / (current + SMOOTHING).sum()
    return float(np.sum((found - expected) * np.log(found / expected)))


def _empty() -> Counts:
    return {name: np.zeros(len(BORDERS[name]) + 1, dtype=np.int64) for name in FEATURES}


def _count(counts: Counts, bins: Sequence[int], by: int) -> None:
    for name, number in zip(FEATURES, bins, strict=True):
        counts[name][number] += by
