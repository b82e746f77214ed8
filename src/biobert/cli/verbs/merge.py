"""`biobert merge`: an adapter becomes a model of its own."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("merge")(merge)


@answering("merge")
def merge(
    adapter: Annotated[Path, typer.Argument(help="The folder of a LoRA or IA3 adapter.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model folder to write.")],
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Put an adapter into the weights of its encoder: a model folder that needs no other."""
    from biobert.cli.extras import need_extra

    need_extra("torch", "safetensors", "peft", extra="train")
    from biobert.training.merging import merge_folder

    manifest = merge_folder(adapter, output)
    data = {"output": str(output), "name": manifest.name}
    return VerbAnswer(data, lambda: typer.echo(f"{output}: {adapter} within its encoder"))
