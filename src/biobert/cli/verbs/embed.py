"""`biobert embed`: vectors of texts."""

from typing import Annotated, Any

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import choice, of_options, spare_inputs
from biobert.cli.engine import (
    DeviceOption,
    EngineOption,
    PrecisionOption,
    ThreadsOption,
    runtime_settings,
)
from biobert.cli.rejects import RejectsOption, listed, show_set_aside


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("embed")(embed)


@answering("embed")
def embed(
    texts: Annotated[list[str], typer.Argument(help="Text or document files, or -.")],
    model: Annotated[str, typer.Option(help="A model folder, or a Hugging Face name.")],
    output: Annotated[str, typer.Option("--output", "-o", help="A .npy or .jsonl file, or -.")],
    unit: Annotated[
        str | None,
        typer.Option(
            help="A vector for each line, document or sentence; by default each line of plain "
            "text, and each document of other formats."
        ),
    ] = None,
    source_format: Annotated[str | None, typer.Option("--from", help="Format to read.")] = None,
    pooling: Annotated[
        str | None, typer.Option(help="mean or first; by default as trained, or mean.")
    ] = None,
    window_tokens: Annotated[
        int | None, typer.Option(help="The longest window; by default as trained, or 256.")
    ] = None,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "float32",
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    rejects: RejectsOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Write a vector of length 1 for each line, document or sentence, in order.

    A text longer than a window goes through several, whose vectors are averaged.
    """
    from biobert.data.vectors import write_vectors
    from biobert.pipeline.embedder import Embedder
    from biobert.pipeline.embedding_files import embedded, texts_of
    from biobert.text.windows import WindowSettings

    spare_inputs(texts, output)
    windows = None
    if window_tokens is not None:
        with of_options():
            windows = WindowSettings(window_tokens, window_tokens // 8)
    embedder = Embedder(
        model,
        pooling=choice("--pooling", pooling, ("mean", "first")),
        windows=windows,
        settings=runtime_settings(engine, precision, device, threads),
    )
    chosen = choice("--unit", unit, ("line", "document", "sentence"))
    with listed(rejects) as set_aside:
        found = texts_of(texts, chosen, set_aside, source_format=source_format)
        written = write_vectors(embedded(found, embedder), output)
    data = {
        "vectors": written.count,
        "size": written.size,
        "unit": unit or "line of text, document of others",
        "output": output,
        "set_aside": set_aside.count,
    }
    return VerbAnswer(data, lambda: _show(data))


def _show(data: dict[str, Any]) -> None:
    from rich.console import Console

    console = Console(highlight=False, stderr=True)
    console.print(f"{data['vectors']} vectors of size {data['size']}: {data['output']}")
    show_set_aside(console, data["set_aside"])
