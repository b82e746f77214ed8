"""`biobert deidentify`: texts without the identifiers of persons."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import listed_names
from biobert.cli.engine import (
    DeviceOption,
    EngineOption,
    PrecisionOption,
    ThreadsOption,
    runtime_settings,
)
from biobert.cli.rejects import RejectsOption, all_set_aside, listed, show_set_aside

if TYPE_CHECKING:
    from biobert.trust.batch import DeidentificationResult


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("deidentify")(deidentify)


@answering("deidentify")
def deidentify(
    inputs: Annotated[list[str], typer.Argument(help="Files, folders, globs, or -.")],
    output: Annotated[str, typer.Option("--output", "-o", help="A file, a folder, or - .")],
    formats: Annotated[
        list[str] | None, typer.Option("--to", help="Format to write; by default the input's own.")
    ] = None,
    source_format: Annotated[str | None, typer.Option("--from", help="Format to read.")] = None,
    replace: Annotated[
        str, typer.Option(help="tags ([NAME]) or surrogates (another name).")
    ] = "tags",
    key_file: Annotated[
        Path | None, typer.Option(help="A secret that keeps surrogates the same in later runs.")
    ] = None,
    shift_by: Annotated[
        str, typer.Option(help="Surrogate dates move by whole days, or weeks.")
    ] = "days",
    patient_field: Annotated[
        str | None, typer.Option(help="Metadata that names the patient, whose dates move alike.")
    ] = None,
    names: Annotated[
        str, typer.Option(help="A model folder that finds identifiers too; none for rules alone.")
    ] = "embedded-names",
    keep_inside: Annotated[
        str | None,
        typer.Option(help="Entities of the input that are no names: Disease,Chemical."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Write every identifier and its surrogate here: a secret.")
    ] = None,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "auto",
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    rejects: RejectsOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Replace names, places, dates, numbers and other identifiers of persons in texts.

    The kinds are those of HIPAA's Safe Harbor. What is found is counted and never shown; what is
    missed stays in the text, so have a person look at a sample before you share it. Identifiers of
    documents and names of files are kept as they are.
    """
    from biobert.trust.batch import CleanCopies, deidentify_inputs, without_details
    from biobert.trust.deidentification import Deidentifier
    from biobert.trust.tagger import tagger_or_rules

    tagger = tagger_or_rules(names, runtime_settings(engine, precision, device, threads))
    deidentifier = Deidentifier(
        replacement=replace,  # type: ignore[arg-type]
        key=None if key_file is None else _key(key_file),
        date_unit=shift_by,  # type: ignore[arg-type]
        names=tagger.annotate if tagger else None,
        veto_labels=listed_names(keep_inside) or (),
    )
    settings = CleanCopies(output, tuple(formats or ()), source_format, mapping, patient_field)
    with listed(rejects, without_details) as set_aside:
        result = deidentify_inputs(inputs, deidentifier, settings, set_aside)
    data = _data(result, set_aside.count) | {
        "ignored_labels": list(tagger.ignored_labels if tagger else ())
    }
    problem = all_set_aside("de-identified", result.documents, without_details(set_aside))
    return VerbAnswer(data, lambda: _show(data), problem)


def _key(path: Path) -> bytes:
    from biobert.core.errors import BadInputError

    try:
        return path.read_bytes().strip()
    except OSError as problem:
        raise BadInputError(f"key file {path}: {problem.strerror}", code="not-found") from None


def _data(result: "DeidentificationResult", set_aside: int) -> dict[str, Any]:
    speed = result.characters / result.seconds if result.seconds else 0.0
    return {
        "documents": result.documents,
        "identifiers": dict(result.identifiers.most_common()),
        "set_aside": set_aside,
        "outputs": result.outputs,
        "characters": result.characters,
        "seconds": round(result.seconds, 3),
        "characters_per_second": round(speed),
    }


def _show(data: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=True, highlight=False)
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("identifier")
    table.add_column("replaced", justify="right")
    for kind, count in data["identifiers"].items():
        table.add_row(kind, str(count))
    console.print(table)
    speed = f"{data['seconds']:.2f} s, {data['characters_per_second']} characters/s"
    console.print(f"{data['documents']} documents in {speed}")
    show_set_aside(console, data["set_aside"])
    if data["ignored_labels"]:
        ignored = ", ".join(data["ignored_labels"])
        console.print(f"labels of the model that stand for no identifier: {ignored}")
    console.print("no rule finds everything: look at a sample before you share the texts")
