"""`biobert interpolate`: a model half way back to what it began from."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("interpolate")(interpolate)


@answering("interpolate")
def interpolate(
    model: Annotated[Path, typer.Argument(help="A trained or pretrained model folder.")],
    start: Annotated[str, typer.Argument(help="The encoder it began from: a folder or a name.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    share: Annotated[float, typer.Option(help="How much of the start there is.")] = 0.5,
    name: Annotated[str | None, typer.Option(help="The new model's name.")] = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Write the weights between a model's and those of the encoder it began from (WiSE-FT)."""
    from biobert.cli.extras import need_extra

    need_extra("torch", "transformers", extra="train")
    from biobert.model.checkpoint import find_encoder_folder
    from biobert.training.interpolation import interpolate as write_between

    folder = find_encoder_folder(start)
    manifest = write_between(model, folder, output, share=share, name=name or output.name)
    data = {"output": str(output), "name": manifest.name, "share": share}
    return VerbAnswer(data, lambda: typer.echo(f"{output}: {share:g} of {start} in {model}"))
