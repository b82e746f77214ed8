"""`biobert tune`: better settings for a recipe."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import LARGEST_SEED

if TYPE_CHECKING:
    from biobert.training.tuning import Best


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("tune")(tune)


@answering("tune")
def tune(
    recipe: Annotated[Path, typer.Argument(help="A recipe with devel sets.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the study and the best model.")
    ],
    space: Annotated[
        list[str],
        typer.Option("--try", help="run.epochs=2..5, or a.b=1,2, or a.b=log:1e-5..1e-3."),
    ],
    trials: Annotated[int, typer.Option(min=1, help="How many runs in all.")] = 20,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting of all runs.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Decides what is tried.")] = 1,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Search settings of a recipe by its score on devel (Optuna: TPE, median pruning).

    The study is kept in --output: the same command goes on with a stopped search. It also holds
    pictures of the search, best.json, and the best model.
    """
    from biobert.cli.extras import need_extra
    from biobert.cli.places import corpus_places
    from biobert.core.settings import override, read_toml

    need_extra("torch", "accelerate", "transformers", extra="train")
    need_extra("optuna", extra="tune")
    from rich.console import Console

    from biobert.cli.progress import TrainingProgress
    from biobert.training.material import RunPlaces
    from biobert.training.recipe import read_changed_recipe, with_full_names
    from biobert.training.tuning import Search, read_space
    from biobert.training.tuning import tune as tuned

    console = Console(stderr=True)
    own, wanted = read_toml(recipe), with_full_names(changes or [])
    read_changed_recipe(own, wanted, place=recipe.name)
    search = Search(
        override(own, wanted), read_space(with_full_names(space)), trials=trials, seed=seed
    )
    places = RunPlaces(output, corpus_places())
    with TrainingProgress() as progress:

        def listen(number: int) -> TrainingProgress:
            console.print(f"trial {number}", highlight=False)
            progress.restart()
            return progress

        best = tuned(search, places, listen=listen)
    data = {
        "devel": best.score,
        "trial": best.trial,
        "settings": dict(best.settings),
        "output": str(output),
    }
    return VerbAnswer(data, lambda: _show(best, recipe, changes or [], output))


def _show(best: "Best", recipe: Path, changes: Sequence[str], output: Path) -> None:
    print(f"best of {best.trials} whole and {best.pruned} shortened trials: {100 * best.score:.2f}")
    options = [word for change in (*changes, *best.changes) for word in ("--set", change)]
    print(shlex.join(["biobert", "train", str(recipe), *options, "--output", recipe.stem]))
    print(f"its model: {output / 'best'}; pictures: history.png, settings.png")
