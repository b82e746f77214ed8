"""`biobert split`: a model of several tasks becomes a model for each."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("split")(split)


@answering("split")
def split(
    model: Annotated[Path, typer.Argument(help="The folder of a `multitask` model.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write them into.")],
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Write a model folder for each part of a multi-task model, for every other verb to use."""
    from biobert.cli.extras import need_extra

    need_extra("torch", "safetensors", extra="train")
    from biobert.training.splitting import split_folder

    written = split_folder(model, output)
    data = {part: {"output": str(output / part), "task": one.task} for part, one in written.items()}
    return VerbAnswer(data, lambda: _show(data))


def _show(data: dict[str, dict[str, str]]) -> None:
    for one in data.values():
        typer.echo(f"{one['output']}: {one['task']}")
