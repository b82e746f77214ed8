"""`biobert importance`: which weights of a model matter for what it has learnt."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import LARGEST_SEED
from biobert.cli.rejects import RejectsOption, listed, show_set_aside


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("importance")(importance)


@answering("importance")
def importance(
    model: Annotated[Path, typer.Argument(help="A trained model folder.")],
    corpus: Annotated[list[str], typer.Argument(help="What it was trained on.")],
    split: Annotated[str, typer.Option(help="The split.")] = "train",
    rows: Annotated[int, typer.Option(min=1, help="How many rows to weigh by.")] = 500,
    earlier: Annotated[
        Path | None, typer.Option(help="The model this one was trained from: what mattered to it.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Which rows.")] = 1,
    rejects: RejectsOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Weigh the weights of a trained model, for a later run with a [consolidation] table.

    Writes importance.safetensors into the folder; later runs need no old data.
    """
    from biobert.cli.extras import need_extra
    from biobert.cli.places import corpus_places
    from biobert.pipeline.evaluating import TestSet, read_gold

    need_extra("torch", "safetensors", extra="train")
    from biobert.training.importance import write_importance

    places = corpus_places()
    with listed(rejects) as set_aside:
        documents = [
            one for name in corpus for one in read_gold(TestSet(name), split, places, set_aside)
        ]
    path = write_importance(model, documents, rows=rows, seed=seed, earlier=earlier)
    data = {"output": str(path), "set_aside": set_aside.count}
    return VerbAnswer(data, lambda: _show(path, rows, set_aside.count))


def _show(path: Path, rows: int, set_aside: int) -> None:
    from rich.console import Console

    typer.echo(f"{path}: weighed by {rows} rows")
    show_set_aside(Console(highlight=False), set_aside)
