"""`biobert export`: a trained model as a light folder that needs no torch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import choice, need_option
from biobert.cli.evaluated_on import PartOption, RenameOption, renamed
from biobert.cli.gate import cleared_away, show_gate
from biobert.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from biobert.compression.bare import Pooling, Use

FLOAT32, CALIBRATED = "float32", "int8-static"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("export")(export)


@answering("export")
def export(
    model: Annotated[
        str, typer.Argument(help="A trained model folder; or an encoder, a folder or a hub name.")
    ],
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
    use: Annotated[
        str | None,
        typer.Option(
            help="embed or fill-mask: export the encoder for this instead of what it was trained "
            "for; by default, of one that was not trained here, what its class does."
        ),
    ] = None,
    pooling: Annotated[
        str | None, typer.Option(help="For --use embed: mean or first; by default mean.")
    ] = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Write an exported model (ONNX), checked against PyTorch, with all it needs.

    Weights other than float32 need a --corpus: the exported model answers it beside the original.
    Where it loses more than --max-loss nothing is written, else both scores and speeds are in its
    card.
    """
    from biobert.cli.extras import need_extra

    need_extra("torch", "onnx", extra="train")
    if corpus is None:
        others = {"--split": split, "--rename": rename, "--part": part, "--calibrate": calibrate}
        smaller = None if weights == FLOAT32 else weights
        given = {"--weights": smaller, **others, "--max-loss": max_loss}
        need_option("--corpus", "name what original and exported model are measured on", given)
        return _unmeasured(
            model,
            output,
            choice("--use", use, ("embed", "fill-mask")),
            choice("--pooling", pooling, ("mean", "first")),
        )
    if use is not None or pooling is not None:
        raise BadInputError(
            "--use and --pooling are without --corpus: an encoder that was trained for nothing "
            "answers no gold; train it for a task, and export that",
            code="usage",
        )
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


def _check_calibration(weights: str | None, corpus: str | None) -> None:
    if (weights == CALIBRATED) != (corpus is not None):
        raise BadInputError(
            f"--weights {CALIBRATED} and --calibrate CORPUS need each other: the ranges of "
            "activations are those seen on the corpus's training text",
            code="usage",
        )


def _unmeasured(
    model: str, output: Path, wanted: "Use | None", pooling: "Pooling | None"
) -> VerbAnswer:
    from biobert.pipeline.load import SHIPPED

    if model in SHIPPED:  # Said before torch is loaded, which takes seconds.
        raise BadInputError(
            f"{model} is exported already, and its weights do not come with it; with --corpus its "
            "graph can be written with other weights"
        )
    from biobert.compression.bare import bare_use, export_encoder
    from biobert.compression.folder import export_folder
    from biobert.pipeline.load import encoder_folder

    folder = encoder_folder(model)
    use = bare_use(folder, wanted)
    if pooling is not None and use != "embed":
        raise BadInputError("--pooling is for --use embed of what was not trained so", code="usage")
    with cleared_away():
        if use is None:
            report = export_folder(folder, output)
        else:
            name = Path(model).resolve().name
            report = export_encoder(folder, output, use=use, name=name, pooling=pooling or "mean")
    data = {
        "output": str(output),
        "bytes": report.bytes,
        "difference_float32": report.difference,
        "weights": FLOAT32,
        "use": use,
    }
    return VerbAnswer(data, lambda: _show(data))


def _behind_gate(model: str, output: Path, tables: dict[str, Any], max_loss: float) -> VerbAnswer:
    """An export is a compression of one step."""
    from biobert.cli.places import corpus_places
    from biobert.cli.progress import TrainingProgress
    from biobert.compression.recipe import read_compression_recipe
    from biobert.pipeline.compressing import compress

    recipe = read_compression_recipe(tables, place="biobert export")
    with cleared_away(), TrainingProgress() as progress:
        report = compress(
            model, recipe, corpus_places(), output, listener=progress, max_loss=max_loss
        )
    weights = tables["steps"][0]["weights"]
    data = {"output": str(output), "weights": weights, **report.to_json()}
    return VerbAnswer(data, lambda: show_gate(report, output))


def _show(data: "Mapping[str, object]") -> None:
    from rich.console import Console

    use = "" if data["use"] is None else f", for `biobert {data['use']}`"
    size = int(str(data["bytes"])) / 2**20
    console = Console(highlight=False)
    console.print(
        f"{data['output']}: {size:.1f} MiB, {data['weights']} weights{use}; float32 outputs within "
        f"{data['difference_float32']:.1e} of PyTorch's"
    )
