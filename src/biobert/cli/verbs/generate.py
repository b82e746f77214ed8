"""`biobert generate`: a text about each document."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import of_options, spare_inputs
from biobert.cli.engine import (
    DeviceOption,
    EngineOption,
    PrecisionOption,
    ThreadsOption,
    runtime_settings,
)
from biobert.cli.rejects import RejectsOption, listed, show_set_aside

if TYPE_CHECKING:
    from biobert.core.document import Document


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("generate")(generate)


@answering("generate")
def generate(
    source: Annotated[str, typer.Argument(help="A file of documents, or -.")],
    model: Annotated[str, typer.Option(help="A model folder that was trained for generation.")],
    beams: Annotated[int | None, typer.Option(help="Beginnings kept at every step.", min=1)] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Stop at so many word pieces.", min=1)
    ] = None,
    min_length: Annotated[int | None, typer.Option(help="Go on until so many.", min=0)] = None,
    no_repeat: Annotated[
        int | None, typer.Option(help="No stretch of so many pieces twice; 0 allows any.", min=0)
    ] = None,
    length_penalty: Annotated[
        float | None, typer.Option(help="Above 0 favours longer texts.")
    ] = None,
    repetition_penalty: Annotated[
        float | None, typer.Option(help="Above 1 avoids words again.")
    ] = None,
    source_format: Annotated[str | None, typer.Option("--from", help="Format to read.")] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="Write the documents to a file.")
    ] = None,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "float32",
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    rejects: RejectsOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Write a text about each document by beam search, such as an abstract's conclusion.

    The model writes as it was trained to, where no option says otherwise. A source too long for one
    window is written about stretch by stretch, and the summary says so.
    """
    from dataclasses import replace

    from biobert.data.reading import format_of_input, read_documents, write_documents
    from biobert.pipeline.writer import Writer, trained_writing

    changes: dict[str, Any] = {
        "beams": beams,
        "maximum_pieces": max_length,
        "minimum_pieces": min_length,
        "no_repeat": no_repeat,
        "length_penalty": length_penalty,
        "repetition_penalty": repetition_penalty,
    }
    spare_inputs([source], output)
    writing = trained_writing(model)
    with of_options():
        given = {name: value for name, value in changes.items() if value is not None}
        writing = replace(writing, **given)
    settings = runtime_settings(engine, precision, device, threads)
    writer = Writer(model, writing=writing, settings=settings)
    with listed(rejects) as set_aside:
        found = read_documents(source, source_format or format_of_input(source), set_aside)
        documents = list(writer.write_many(found))
        if output is not None:
            write_documents(documents, output)
    data = {
        "model": writer.model.manifest.name,
        "texts": [_data(one) for one in documents],
        "set_aside": set_aside.count,
    }
    return VerbAnswer(data, lambda: _show(documents, set_aside.count))


def _data(document: "Document") -> dict[str, str | int]:
    from biobert.tasks.generation import GENERATED, GENERATED_PARTS, GENERATED_UNFINISHED

    found = document.metadata
    return {
        "id": document.id,
        "text": found[GENERATED],
        "parts": int(found.get(GENERATED_PARTS, 1)),
        "unfinished": int(found.get(GENERATED_UNFINISHED, 0)),
    }


def _show(documents: "list[Document]", set_aside: int) -> None:
    from rich.console import Console

    errors = Console(stderr=True, highlight=False)
    rows = [_data(one) for one in documents]
    for row in rows:
        print(f"{row['id']}\t{row['text']}")
    in_parts = sum(int(row["parts"]) > 1 for row in rows)
    unfinished = sum(bool(row["unfinished"]) for row in rows)
    if in_parts:
        errors.print(f"{in_parts} sources were too long for one window: written about in parts")
    if unfinished:
        errors.print(f"{unfinished} texts were stopped at --max-length")
    show_set_aside(errors, set_aside)
