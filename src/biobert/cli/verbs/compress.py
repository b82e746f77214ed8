"""`biobert compress`: a smaller or faster model, if it is as good."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.gate import cleared_away, show_gate


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compress")(compress)


@answering("compress")
def compress(
    model: Annotated[
        str, typer.Argument(help="A trained model folder; `embedded` for steps that export.")
    ],
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
) -> VerbAnswer:
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
    return VerbAnswer(data, lambda: show_gate(report, output))
