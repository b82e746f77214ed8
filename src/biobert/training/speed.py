"""How fast a run learns: tokens a second, arithmetic, and what share of the machine that is."""

import time
from collections.abc import Sequence

from torch import nn

from biobert.model.encoder import Encoder
from biobert.model.flops import training_flops_per_token
from biobert.tasks.pretraining import WORDS
from biobert.training.batches import Batch

MEMORY = 0.9
"""Share of the past in the running means."""


class StepClock:
    """Running means over the last steps; the time of checkpoints and evaluations is left out."""

    def __init__(self, encoder: nn.Module, *, processes: int, peak_teraflops: float | None) -> None:
        self._settings = encoder.settings if isinstance(encoder, Encoder) else None
        self._processes = processes
        self._peak = peak_teraflops
        self._before: float | None = None
        self._tokens = self._seconds = self._flops = 0.0

    def restart(self) -> None:
        """Count from now on: what was done since the last step was no step."""
        self._before = None

    def tick(self, batches: Sequence[Batch]) -> None:
        """A step over these batches has ended."""
        now = time.perf_counter()
        if self._before is not None:
            tokens = sum(batch.tokens for batch in batches)
            self._seconds = MEMORY * self._seconds + now - self._before
            self._tokens = MEMORY * self._tokens + tokens
            self._flops = MEMORY * self._flops + sum(self._cost(batch) for batch in batches)
        self._before = now

    def figures(self) -> dict[str, float]:
        """Of all processes: `tokens_per_second`, `teraflops`; and the share of the peak."""
        if not self._seconds:
            return {"tokens_per_second": 0.0}
        rate = self._processes / self._seconds
        figures = {"tokens_per_second": round(self._tokens * rate, 1)}
        if self._flops:
            figures["teraflops"] = round(self._flops * rate / 1e12, 4)
        if self._flops and self._peak:
            used = self._flops / self._seconds / 1e12
            figures["utilisation"] = round(used / self._peak, 4)
        return figures

    def _cost(self, batch: Batch) -> float:
        if self._settings is None:
            return 0.0
        sequences = batch.token_ids.shape[0] if batch.positions is None else None
        if batch.positions is not None:
            sequences = int((batch.positions[batch.mask > 0] == 0).sum())  # type: ignore[operator]
        predicted = len(batch.selected[WORDS]) if batch.selected else 0
        return batch.tokens * training_flops_per_token(
            self._settings,
            length=batch.tokens / max(1, sequences or 1),
            predicted_share=predicted / max(1, batch.tokens),
        )
