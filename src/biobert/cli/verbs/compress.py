"""`biobert compress`: a smaller or faster model, if it is as good."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from biobert.cli.answer import Answer, JsonFlag, answering
from biobert.cli.verbs.evaluate import show_all_shared

if TYPE_CHECKING:
    from biobert.pipeline.compressing import CompressionReport


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compress")(compress)


@answering("compress")
def compress(
    model: Annotated[str, typer.Argument(help="A trained model folder, or `embedded`.")],
    recipe: Annotated[
        Path, typer.Option("--recipe", "-r", help="Such as recipes/compress-int8-static.toml.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    max_loss: Annotated[
        float, typer.Option(help="Points of the main score that may be lost on each gate.")
    ] = 0.3,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting of the recipe: seed=2.")
    ] = None,
    as_json: JsonFlag = False,
) -> Answer:
    """Compress a model by a recipe: prune, distil, round, export.

    The smaller model answers the recipe's gate beside the original. Where it loses more than
    --max-loss it is refused and nothing is written; else both scores and speeds are in its card.
    """
    from biobert.cli.extras import need_extra
    from biobert.cli.places import corpus_places
    from biobert.core.settings import read_changed, read_toml

    need_extra("torch", "accelerate", "onnx", extra="train")
    from biobert.cli.progress import TrainingProgress
    from biobert.compression.recipe import read_compression_recipe
    from biobert.pipeline.compressing import compress as compressed

    read = partial(read_compression_recipe, place=recipe.name)
    wanted = read_changed(read, read_toml(recipe), changes or [])
    with cleared_away(), TrainingProgress() as progress:
        report = compressed(
            model, wanted, corpus_places(), output, listener=progress, max_loss=max_loss
        )
    data = {"output": str(output), **report.to_json()}
    return Answer(data, lambda: show_gate(report, output))


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
