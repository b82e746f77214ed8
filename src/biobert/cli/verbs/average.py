"""`biobert average`: several fine-tuned models become one."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("average")(average)


@answering("average")
def average(
    models: Annotated[list[Path], typer.Argument(help="Model folders of one encoder and task.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    name: Annotated[str | None, typer.Option(help="The new model's name.")] = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Average the weights of models that were fine-tuned from one encoder (a model soup).

    Thresholds are chosen anew on devel where the models' differ.
    """
    from biobert.cli.extras import need_extra
    from biobert.cli.places import corpus_places

    need_extra("torch", "safetensors", extra="train")
    from biobert.pipeline.averaging import write_average

    manifest = write_average(models, output, name=name or output.name, places=corpus_places())
    data = {"output": str(output), "name": manifest.name, "models": [str(one) for one in models]}
    return VerbAnswer(data, lambda: typer.echo(f"{output}: the average of {len(models)} models"))
