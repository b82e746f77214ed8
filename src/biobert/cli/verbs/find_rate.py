"""`biobert find-rate`: which learning rates a recipe bears."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("find-rate")(find_rate)


@answering("find-rate")
def find_rate(
    recipe: Annotated[
        Path, typer.Argument(help="A recipe, such as recipes/ner-ncbi-disease.toml.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The plot to write (PNG).")],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a setting: model.encoder=FOLDER."),
    ] = None,
    lowest: Annotated[float, typer.Option(help="The rate of the first step.")] = 1e-6,
    highest: Annotated[float, typer.Option(help="The rate of the last step.")] = 1e-2,
    steps: Annotated[int, typer.Option(help="How many steps to take.")] = 100,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Let the learning rate grow at every step, plot the loss, and suggest a rate."""
    from biobert.cli.extras import need_extra
    from biobert.cli.places import corpus_places
    from biobert.core.settings import read_toml

    need_extra("torch", "accelerate", "transformers", "matplotlib", extra="train")
    from biobert.cli.progress import TrainingProgress
    from biobert.training.material import RunPlaces
    from biobert.training.rate_finder import RangeSettings, find_learning_rate, plot_range_test
    from biobert.training.recipe import read_changed_recipe

    plan = read_changed_recipe(read_toml(recipe), changes or [], place=recipe.name)
    places = RunPlaces(output.parent, corpus_places())
    settings = RangeSettings(lowest, highest, steps)
    with TrainingProgress() as progress:
        test = find_learning_rate(plan, places, settings, listener=progress)
    plot_range_test(test, output)
    points = [{"rate": one.rate, "loss": one.loss} for one in test.points]
    return VerbAnswer(
        {"suggested": test.suggested, "plot": str(output), "points": points},
        lambda: typer.echo(
            f"suggested: --set optimizer.learning_rate={test.suggested:.1e}; see {output}"
        ),
    )
