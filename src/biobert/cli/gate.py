"""Behind a gate: what is half written goes when the verb is stopped, and both models are shown."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from biobert.cli.evaluated_on import show_all_shared

if TYPE_CHECKING:
    from biobert.pipeline.compressing import CompressionReport


@contextmanager
def cleared_away() -> Iterator[None]:
    """A block that SIGTERM ends as an error does, so that what is half written goes with it."""
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise SystemExit(128 + number)


def show_gate(report: "CompressionReport", output: Path) -> None:
    """Print the models beside each other."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    columns = {
        "original": report.original,
        "original, exported": report.exported,
        "compressed": report.compressed,
    }
    models = {name: one for name, one in columns.items() if one is not None}
    for column in ("", *models):
        table.add_column(column, justify="right" if column else "left")
    weighed = models.values()
    for name in report.original.scores:
        table.add_row(name, *(f"{100 * one.scores[name]:.2f}" for one in weighed))
    table.add_row("one text, median ms", *(f"{one.p50_ms:.1f}" for one in weighed))
    table.add_row("texts a second", *(f"{one.texts_per_second:.1f}" for one in weighed))
    table.add_row("MiB", *(f"{one.bytes / 2**20:.1f}" for one in weighed))
    table.add_row("engine", *(one.engine for one in weighed))
    console = Console(highlight=False)
    console.print(table)
    named = {
        f"{name}, {column}": one.shared[name]
        for name in report.original.scores
        for column, one in models.items()
    }
    show_all_shared(console, named)
    console.print(f"model folder: {output}")
