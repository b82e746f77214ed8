"""`biobert ensemble`: several models answer as one."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import choice


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("ensemble")(ensemble)


@answering("ensemble")
def ensemble(
    models: Annotated[list[Path], typer.Argument(help="Model folders of one task.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    rule: Annotated[str, typer.Option(help="mean of probabilities, or vote.")] = "mean",
    name: Annotated[str | None, typer.Option(help="The new model's name.")] = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Put models of one task and vocabulary into a folder that answers by all of them.

    Each costs its own time at prediction; `biobert average` makes one model of several instead.
    Members vote by their own thresholds; those of a mean are chosen anew on devel if they differ.
    """
    from typing import get_args

    from biobert.cli.places import corpus_places
    from biobert.pipeline.ensemble import write_ensemble
    from biobert.runtime.ensemble import Rule

    chosen = choice("--rule", rule, get_args(Rule))
    manifest = write_ensemble(
        models, output, name=name or output.name, rule=chosen, places=corpus_places()
    )
    data = {"output": str(output), "name": manifest.name, "members": list(manifest.members)}
    return VerbAnswer(data, lambda: typer.echo(f"{output}: {len(models)} models answer by {rule}"))
