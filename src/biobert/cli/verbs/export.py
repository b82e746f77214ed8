"""`biobert export`: a trained model as a light folder that needs no torch."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import Answer, JsonFlag, answering
from biobert.core.errors import BadInputError


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("export")(export)


@answering("export")
def export(
    model: Annotated[Path, typer.Argument(help="A trained model folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    weights: Annotated[
        str | None,
        typer.Option(
            help="float32, or int8 for a quarter the size; by default int8 if there is a --corpus."
        ),
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option(help="Measure both models on this: a catalogue name, folder or file."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Of --corpus: train, devel or test; by default devel.")
    ] = None,
    max_loss: Annotated[
        float | None,
        typer.Option(help="Points of the main score that may be lost on --corpus; by default 0.3."),
    ] = None,
    as_json: JsonFlag = False,
) -> Answer:
    """Write an exported model (ONNX), checked against PyTorch, with all it needs.

    With --corpus the exported model answers it beside the original: where it loses more than
    --max-loss nothing is written, else both scores and speeds are in its card.
    """
    from biobert.cli.extras import need_extra

    need_extra("torch", "onnx", extra="train")
    if corpus is not None:
        gate: dict[str, object] = {"corpus": corpus, "splits": [split or "devel"]}
        loss = 0.3 if max_loss is None else max_loss
        return _behind_gate(model, output, weights or "int8", gate, loss)
    for option, value in (("--split", split), ("--max-loss", max_loss)):
        if value is not None:
            raise BadInputError(
                f"{option} {value} without --corpus: name what to measure both models on",
                code="usage",
            )
    return _unmeasured(model, output, weights or "float32")


def _unmeasured(model: Path, output: Path, weights: str) -> Answer:
    from biobert.compression.folder import export_folder

    report = export_folder(model, output, weights=weights)
    data = {
        "output": str(output),
        "bytes": report.bytes,
        "difference_float32": report.difference,
        "weights": weights,
    }
    return Answer(data, lambda: _show(data))


def _behind_gate(
    model: Path, output: Path, weights: str, gate: dict[str, object], max_loss: float
) -> Answer:
    """An export is a compression of one step."""
    from biobert.cli.places import corpus_places
    from biobert.cli.progress import TrainingProgress
    from biobert.cli.verbs.compress import show_gate
    from biobert.compression.recipe import read_compression_recipe
    from biobert.pipeline.compressing import compress

    steps = [{"kind": "export", "weights": weights}]
    tables = {"name": "export", "steps": steps, "gate": [gate]}
    recipe = read_compression_recipe(tables, place="biobert export")
    with TrainingProgress() as progress:
        report = compress(
            str(model), recipe, corpus_places(), output, listener=progress, max_loss=max_loss
        )
    data = {"output": str(output), "weights": weights, **report.to_json()}
    return Answer(data, lambda: show_gate(report, output))


def _show(data: dict[str, object]) -> None:
    from rich.console import Console

    size = int(str(data["bytes"])) / 2**20
    console = Console(highlight=False)
    console.print(
        f"{data['output']}: {size:.1f} MiB, {data['weights']} weights; float32 logits within "
        f"{data['difference_float32']:.1e} of PyTorch's"
    )
    if data["weights"] != "float32":
        console.print("its score was not measured: name a --corpus, or use `biobert evaluate`")
