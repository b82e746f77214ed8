"""`biobert compare`: two systems on one test set, and whether they differ by chance."""

from typing import TYPE_CHECKING, Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.engine import (
    DeviceOption,
    EngineOption,
    PrecisionOption,
    ThreadsOption,
    runtime_settings,
)
from biobert.cli.evaluated_on import RenameOption, WhereOption, asked_test_set
from biobert.cli.rejects import RejectsOption, listed, show_set_aside

if TYPE_CHECKING:
    from biobert.pipeline.comparing import Comparison


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compare")(compare)


@answering("compare")
def compare(
    first: Annotated[str, typer.Argument(help="A model folder, `embedded`, or predictions.")],
    second: Annotated[str, typer.Argument(help="The other.")],
    corpus: Annotated[str, typer.Argument(help="A catalogue name, a folder or a file.")],
    split: Annotated[str, typer.Option(help="train, devel or test.")] = "test",
    rename: RenameOption = None,
    labels: Annotated[str | None, typer.Option(help="Score these only: Disease,Chemical.")] = None,
    where: WhereOption = None,
    samples: Annotated[int, typer.Option(min=1, help="Resamples, and swaps of answers.")] = 1000,
    rejects: RejectsOption = None,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "auto",
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Compare two systems on the same test set: paired bootstrap and approximate randomisation.

    A file of predictions (any format, the gold's texts in the gold's order) may stand for one.
    """
    from biobert.cli.places import corpus_places
    from biobert.pipeline.comparing import compare as compared

    with listed(rejects) as set_aside:
        found = compared(
            (first, second),
            asked_test_set(corpus, split, rename=rename, labels=labels, where=where),
            corpus_places(),
            samples=samples,
            settings=runtime_settings(engine, precision, device, threads),
            rejects=set_aside,
        )
    return VerbAnswer(found.to_json(), lambda: _show(found))


def _show(found: "Comparison") -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(f"{found.first}: {100 * found.first_score:.2f}", markup=False)
    console.print(f"{found.second}: {100 * found.second_score:.2f}", markup=False)
    if found.labels:
        console.print(f"scored: {', '.join(found.labels)}", markup=False)
    low, high = 100 * found.interval.low, 100 * found.interval.high
    console.print(
        f"difference {100 * found.difference:+.2f}, 95% interval {low:+.2f} to {high:+.2f} "
        f"(paired bootstrap over {found.units} units)"
    )
    console.print(f"not better in {100 * found.not_better:.1f}% of the resamples")
    console.print(f"p = {found.p:.4f} by approximate randomisation, two-sided")
    show_set_aside(console, found.set_aside)
