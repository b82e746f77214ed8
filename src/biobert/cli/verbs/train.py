"""`biobert train`: a recipe becomes a model folder."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("train")(train)


@answering("train")
def train(
    recipe: Annotated[
        Path, typer.Argument(help="A recipe, such as recipes/ner-ncbi-disease.toml.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model folder to write.")],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a setting: encoder=FOLDER, run.seed=2."),
    ] = None,
    positions: Annotated[
        int | None, typer.Option(help="Longer rows than the encoder has: sets model.positions.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run.")] = False,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Train a model by a recipe; the recipe with every default filled in is saved beside it."""
    from biobert.cli.extras import need_extra
    from biobert.cli.places import is_main_process
    from biobert.cli.training import train_recipe

    need_extra("torch", "accelerate", "transformers", extra="train")
    wanted = [*(changes or []), *([] if positions is None else [f"model.positions={positions}"])]
    manifest = train_recipe(recipe, output, changes=wanted, resume=resume)
    if not is_main_process():
        raise typer.Exit
    return VerbAnswer(
        {"output": str(output), "metrics": dict(manifest.metrics)},
        lambda: _show(output, dict(manifest.metrics)),
    )


def _show(output: Path, metrics: dict[str, object]) -> None:
    from rich.console import Console

    console = Console()
    for name, value in metrics.items():
        shown = f"{value:.4f}" if isinstance(value, float) else value
        console.print(f"{name}: {shown}", highlight=False)
    console.print(f"model folder: {output}", highlight=False)
