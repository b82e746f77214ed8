"""Progress on standard error: bars on a terminal, a line now and then elsewhere."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from biobert.cli.places import is_main_process
from biobert.core.task import Scores
from biobert.training.loop import StepReport

SECONDS_BETWEEN_LINES = 60.0
LOSS_MEMORY = 0.95


class TrainingProgress:
    """Shows loss, score and time left of a training run; of many processes the first shows them."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, quiet=not is_main_process())
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} loss {task.fields[loss]:.4f}"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not sys.stderr.isatty(),
        )
        self.job = self.bar.add_task("train", total=1, epoch=1, loss=0.0)
        self.loss: float | None = None
        self.began: tuple[float, int] | None = None
        self.printed = 0.0

    def __enter__(self) -> "TrainingProgress":
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.stop()

    def restart(self) -> None:
        """Another run begins."""
        self.loss, self.began, self.printed = None, None, 0.0

    def noted(self, message: str) -> None:
        """Before the run: one line."""
        self.console.print(message, highlight=False, markup=False)

    def stepped(self, report: StepReport) -> None:
        """After each step: the bar moves; without a terminal, a line a minute."""
        memory = LOSS_MEMORY if self.loss is not None else 0.0
        self.loss = memory * (self.loss or 0.0) + (1 - memory) * report.loss
        self.bar.update(
            self.job,
            completed=report.step,
            total=report.steps,
            epoch=report.epoch,
            loss=self.loss,
        )
        now = time.monotonic()
        self.began = self.began or (now, report.step)
        if self.bar.disable and now - self.printed > SECONDS_BETWEEN_LINES:
            self.printed = now
            self._line(report, now)

    def evaluated(self, step: int, scores: dict[str, Scores], main: float) -> None:
        """After each evaluation: one line with every corpus and its other single figures."""
        parts = "; ".join(_figures(name, score) for name, score in scores.items())
        self.console.print(f"step {step}: devel {main:.4f} ({parts})", highlight=False)

    def _line(self, report: StepReport, now: float) -> None:
        assert self.began is not None
        elapsed, done = now - self.began[0], report.step - self.began[1]
        line = (
            f"epoch {report.epoch} step {report.step}/{report.steps} loss {self.loss:.4f} "
            f"learning rate {report.learning_rate:.2e}"
        )
        if done:
            line += f", {elapsed / done * (report.steps - report.step) / 60:.0f} min left"
        if report.tokens_per_second:
            line += f", {report.tokens_per_second:.0f} tokens/s"
        self.console.print(line, highlight=False)


def _figures(name: str, score: Scores) -> str:
    details = (
        f"{key} {value:.4f}" for key, value in score.details.items() if isinstance(value, float)
    )
    return ", ".join([f"{name} {score.main:.4f}", *details])
