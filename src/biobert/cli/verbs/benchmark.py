"""`biobert benchmark`: a suite of recipes, trained over seeds and scored, as one table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import of_options
from biobert.cli.engine import DeviceOption, runtime_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biobert.core.errors import BiobertError
    from biobert.pipeline.suite.cells import Cell


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("benchmark")(benchmark)


@answering("benchmark")
def benchmark(
    suite: Annotated[Path, typer.Argument(help="A suite, such as recipes/suite-ner.toml.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for models, reports and tables.")
    ],
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting of every recipe.")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Other seeds than the suite's: 1,2.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this model of the suite.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Models to train at once.")] = 1,
    device: DeviceOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Train and score a suite; what stands in --output already is not done again.

    Writes table.md, table.json and table.html: mean, deviation, intervals, time, and what others
    report. With --jobs, models train in processes of their own, on the same GPU or on a share of
    the cores.
    """
    from functools import partial

    from rich.console import Console

    from biobert.cli.extras import need_extra
    from biobert.cli.places import corpus_places
    from biobert.cli.training import train_or_go_on
    from biobert.core.settings import override
    from biobert.pipeline.suite.jobs import finish_side_by_side
    from biobert.pipeline.suite.run import SuiteRun
    from biobert.pipeline.suite.table import as_markdown, write_tables
    from biobert.training.recipe import with_full_names

    need_extra("torch", "accelerate", "transformers", extra="train")
    plan = _plan(suite, seeds, only or [])
    wanted = with_full_names(changes or [])
    override({}, wanted)  # a change that cannot be read is no failure of a cell
    console = Console(stderr=True)
    run = SuiteRun(
        plan,
        recipes=suite.parent,
        output=output,
        places=corpus_places(),
        train=train_or_go_on,
        note=lambda message: console.print(message, highlight=False, markup=False),
        changes=wanted,
        settings=runtime_settings("torch", "auto", device),
    )
    ahead = partial(finish_side_by_side, jobs=jobs) if jobs > 1 else None
    cells: list[Cell] = []
    for cell in run.cells(ahead):
        cells.append(cell)
        paths = write_tables(plan, cells, output)
    data = {"cells": [cell.to_json() for cell in cells], "outputs": [str(path) for path in paths]}
    return VerbAnswer(data, lambda: print(as_markdown(plan, cells)), _failures(cells))


def _failures(cells: "Sequence[Cell]") -> "BiobertError | None":
    from biobert.core.errors import BiobertError

    failed = [f"{cell.test}: {cell.failure}" for cell in cells if cell.failure]
    if not failed:
        return None
    return BiobertError(
        f"{len(failed)} of {len(cells)} tests have no scores: {'; '.join(failed)}. "
        "Mend them and run this again: what stands is not done again"
    )


def _plan(path: Path, seeds: str | None, only: list[str]) -> Any:
    from dataclasses import replace

    from biobert.core.errors import BadInputError
    from biobert.pipeline.suite.description import read_suite

    suite = read_suite(path)
    if seeds is not None:
        try:
            wanted = tuple(int(one) for one in seeds.split(","))
        except ValueError:
            raise BadInputError(f"--seeds {seeds}: write numbers: 1,2,3", code="usage") from None
        with of_options():
            suite = replace(suite, seeds=wanted)
    return suite.only(only) if only else suite
