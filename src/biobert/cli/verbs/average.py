"""`biobert average`: several fine-tuned models become one."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import Answer, JsonFlag, answering


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("average")(average)


@answering("average")
def average(
    models: Annotated[list[Path], typer.Argument(help="Model folders of one encoder and task.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    name: Annotated[str | None, typer.Option(help="The new model's name.")] = None,
    as_json: JsonFlag = False,
) -> Answer:
    """Average the weights of models that were fine-tuned from one encoder (a model soup)."""
    from biobert.cli.extras import need_extra

    need_extra("torch", "safetensors", extra="train")
    from biobert.training.average import average_models

    manifest = average_models(models, output, name=name or output.name)
    data = {"output": str(output), "name": manifest.name, "models": [str(one) for one in models]}
    return Answer(data, lambda: typer.echo(f"{output}: the average of {len(models)} models"))
