"""`biobert convert`: documents from one format to another."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import spare_inputs
from biobert.cli.rejects import RejectsOption, all_set_aside, listed, show_set_aside

if TYPE_CHECKING:
    from biobert.core.document import Document


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("convert")(convert)


@answering("convert")
def convert(
    source: Annotated[str, typer.Argument(help="A file, a BRAT folder, or - for standard input.")],
    target: Annotated[str, typer.Argument(help="A file, a BRAT folder, or - for standard output.")],
    source_format: Annotated[
        str | None, typer.Option("--from", help="Its format; by default the ending tells.")
    ] = None,
    target_format: Annotated[str | None, typer.Option("--to", help="The format to write.")] = None,
    rejects: RejectsOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Convert documents between formats.

    docs/reference/formats.md says what each can hold.
    Files ending in .gz, .bz2 or .xz are unpacked and packed on the way; archives of articles
    (.tar, .tgz, .tbz2, .txz) are read, too.
    """
    from biobert.data.reading import (
        format_of,
        format_of_input,
        not_held,
        read_documents,
        write_documents,
    )

    spare_inputs([source], target)
    source_format = source_format or format_of_input(source)
    target_format = target_format or format_of(target)
    counts: Counter[str] = Counter()
    with listed(rejects) as set_aside:
        read = _noted(read_documents(source, source_format, set_aside), counts)
        written = write_documents(_counted(read), target, target_format)
    data = {
        "documents": written,
        "from": source_format,
        "to": target_format,
        "set_aside": set_aside.count,
        "reasons": dict(set_aside.reasons),
        "not_written": not_held(target_format, counts),
    }
    problem = all_set_aside("converted", written, set_aside)
    return VerbAnswer(data, lambda: _show(data), problem)


def _noted(documents: "Iterable[Document]", annotations: "Counter[str]") -> "Iterator[Document]":
    """The same documents, their annotations counted by kind."""
    from biobert.data.reading import annotations_in

    for document in documents:
        annotations.update(annotations_in(document))
        yield document


def _counted(documents: "Iterator[Document]") -> "Iterator[Document]":
    """The same documents, with a count on standard error while a terminal watches."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield from documents
        return
    with console.status("reading") as status:
        for number, document in enumerate(documents, start=1):
            if number % 100 == 0:
                status.update(f"{number} documents")
            yield document


def _show(data: dict[str, Any]) -> None:
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    console.print(f"{data['documents']} documents, {data['from']} -> {data['to']}")
    show_set_aside(console, data["set_aside"])
    for reason, count in data["reasons"].items():
        console.print(f"  {count} x {reason}", markup=False)
    if data["not_written"]:
        console.print(data["not_written"], soft_wrap=True)
