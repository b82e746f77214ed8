"""`biobert export`: a trained model as a light folder that needs no torch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import Answer, JsonFlag, answering
from biobert.cli.test_sets import PartOption, RenameOption, renamed
from biobert.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

FLOAT32, CALIBRATED = "float32", "int8-static"


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
            help="float32; with --corpus also float16, bf16, int8 (then the default), int8-static."
        ),
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option(help="Measure both models on this: a catalogue name, folder or file."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Of --corpus: train, devel or test; by default devel.")
    ] = None,
    rename: RenameOption = None,
    part: PartOption = None,
    calibrate: Annotated[
        str | None,
        typer.Option(help="For int8-static: the train split that shows the ranges of activations."),
    ] = None,
    max_loss: Annotated[
        float | None,
        typer.Option(help="Points of the main score that may be lost on --corpus; by default 0.3."),
    ] = None,
    as_json: JsonFlag = False,
) -> Answer:
    """Write an exported model (ONNX), checked against PyTorch, with all it needs.

    Weights other than float32 need a --corpus: the exported model answers it beside the original.
    Where it loses more than --max-loss nothing is written, else both scores and speeds are in its
    card.
    """
    from biobert.cli.extras import need_extra

    need_extra("torch", "onnx", extra="train")
    if corpus is None:
        given = {"--split": split, "--rename": rename, "--part": part}
        others = {"--calibrate": calibrate, "--max-loss": max_loss}
        _refuse_unmeasured({"--weights": weights, **given, **others})
        return _unmeasured(model, output)
    _check_calibration(weights, calibrate)
    names = renamed(rename)
    gate = {"corpus": corpus, "splits": [split or "devel"], "rename": names, "part": part}
    tables = {
        "name": "export",
        "steps": [{"kind": "export", "weights": weights or "int8"}],
        "gate": [gate],
        "corpora": [] if calibrate is None else [{"corpus": calibrate, "rename": names}],
    }
    return _behind_gate(model, output, tables, 0.3 if max_loss is None else max_loss)


def _refuse_unmeasured(given: "Mapping[str, object]") -> None:
    """An error for what makes a model smaller, or measures it, where there is no corpus."""
    for option, value in given.items():
        if value not in (None, FLOAT32):
            raise BadInputError(
                f"{option} needs --corpus: name what original and exported model are measured on",
                code="usage",
            )


def _check_calibration(weights: str | None, corpus: str | None) -> None:
    if (weights == CALIBRATED) != (corpus is not None):
        raise BadInputError(
            f"--weights {CALIBRATED} and --calibrate CORPUS need each other: the ranges of "
            "activations are those seen on the corpus's training text",
            code="usage",
        )


def _unmeasured(model: Path, output: Path) -> Answer:
    from biobert.compression.folder import export_folder

    report = export_folder(model, output, weights=FLOAT32)
    data = {
        "output": str(output),
        "bytes": report.bytes,
        "difference_float32": report.difference,
        "weights": FLOAT32,
    }
    return Answer(data, lambda: _show(data))


def _behind_gate(model: Path, output: Path, tables: dict[str, Any], max_loss: float) -> Answer:
    """An export is a compression of one step."""
    from biobert.cli.places import corpus_places
    from biobert.cli.progress import TrainingProgress
    from biobert.cli.verbs.compress import show_gate
    from biobert.compression.recipe import read_compression_recipe
    from biobert.pipeline.compressing import compress

    recipe = read_compression_recipe(tables, place="biobert export")
    with TrainingProgress() as progress:
        report = compress(
            str(model), recipe, corpus_places(), output, listener=progress, max_loss=max_loss
        )
    weights = tables["steps"][0]["weights"]
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
