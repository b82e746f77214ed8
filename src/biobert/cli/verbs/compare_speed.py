"""`biobert compare-speed`: models beside each other, by speed, size, memory and score."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import need_option
from biobert.cli.engine import (
    DeviceOption,
    EngineOption,
    PrecisionOption,
    ThreadsOption,
    runtime_settings,
)
from biobert.cli.evaluated_on import PartOption, RenameOption, renamed, show_all_shared

if TYPE_CHECKING:
    from biobert.pipeline.speed.comparison import SpeedComparison, Variant


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compare-speed")(compare_speed)


@answering("compare-speed")
def compare_speed(
    models: Annotated[list[str], typer.Argument(help="Model folders, or `embedded`.")],
    corpus: Annotated[
        str | None,
        typer.Option(help="Answer and score this: a catalogue name, folder or file."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Of --corpus: train, devel or test; by default devel.")
    ] = None,
    rename: RenameOption = None,
    part: PartOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for speed.json and speed.png.")
    ] = None,
    texts: Annotated[int, typer.Option(min=1, help="Texts that are timed in each turn.")] = 200,
    turns: Annotated[int, typer.Option(min=1, help="Turns, of which medians are told.")] = 3,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "auto",
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Compare models of one task by speed, size, memory and score.

    Each runs in its own process and they take turns. Times are from text to answers; a text is a
    sentence where words are labelled, else a document. Without --corpus toy documents are timed.
    """
    from biobert.cli.places import corpus_places
    from biobert.pipeline.evaluating import TestSet
    from biobert.pipeline.speed.comparison import SpeedSettings, write_comparison
    from biobert.pipeline.speed.comparison import compare_speed as compared

    if corpus is None:
        given = {"--split": split, "--rename": rename, "--part": part}
        need_option("--corpus", "name what the models answer", given)
    found = compared(
        models,
        None if corpus is None else TestSet(corpus, split or "devel", renamed(rename), part=part),
        corpus_places(),
        speed=SpeedSettings(texts, turns),
        settings=runtime_settings(engine, precision, device, threads),
    )
    if output is not None:
        write_comparison(found, output)
    return VerbAnswer(found.to_json(), lambda: _show(found))


def _show(found: "SpeedComparison") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("", justify="left")
    for one in found.variants:
        table.add_column(one.name, justify="right", overflow="fold")
    rows = [_cells(one) for one in found.variants]
    for name in rows[0]:
        table.add_row(name, *(row[name] for row in rows))
    console = Console(highlight=False)
    console.print(table)
    where = found.corpus or "toy documents"
    console.print(f"medians over turns on {found.texts} {found.unit}s of {where}")
    shared = {one.name: one.shared for one in found.variants if one.shared is not None}
    show_all_shared(console, shared)


def _cells(one: "Variant") -> dict[str, str]:
    """The column of a model."""
    speeds = {
        f"texts/s, {batch} at once": f"{speed:.1f}" for batch, speed in one.texts_per_second.items()
    }
    return {
        "engine": one.engine,
        "size, MiB": f"{one.bytes / 2**20:.1f}",
        "load, s": f"{one.load_seconds:.2f}",
        "peak memory, MiB": f"{one.peak_memory_bytes / 2**20:.0f}",
        **speeds,
        "one text, p50 ms": f"{one.p50_ms:.1f}",
        "one text, p99 ms": f"{one.p99_ms:.1f}",
        one.measure or "score": "" if one.score is None else f"{100 * one.score:.2f}",
    }
