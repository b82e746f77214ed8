"""`biobert export`: a trained model as a light folder that needs no torch."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import Answer, JsonFlag, answering


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("export")(export)


@answering("export")
def export(
    model: Annotated[Path, typer.Argument(help="A trained model folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    weights: Annotated[str, typer.Option(help="float32, or int8 for a quarter the size.")] = "int8",
    as_json: JsonFlag = False,
) -> Answer:
    """Write an exported model (ONNX), checked against PyTorch, with all it needs."""
    from biobert.cli.extras import need_extra

    need_extra("torch", "onnx", extra="train")
    from biobert.compression.folder import export_folder

    report = export_folder(model, output, weights=weights)
    data = {
        "output": str(output),
        "bytes": report.bytes,
        "difference_float32": report.difference,
        "weights": weights,
    }
    return Answer(data, lambda: _show(data))


def _show(data: dict[str, object]) -> None:
    from rich.console import Console

    size = int(str(data["bytes"])) / 2**20
    Console(highlight=False).print(
        f"{data['output']}: {size:.1f} MiB, {data['weights']} weights; float32 logits within "
        f"{data['difference_float32']:.1e} of PyTorch's"
    )
