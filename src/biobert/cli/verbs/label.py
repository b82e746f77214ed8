"""`biobert label`: what people should label next."""

from typing import TYPE_CHECKING, Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering, unreadable
from biobert.cli.choices import LARGEST_SEED, choice, spare_inputs
from biobert.cli.engine import (
    DeviceOption,
    EngineOption,
    ModelOption,
    PrecisionOption,
    ThreadsOption,
    runtime_settings,
)
from biobert.cli.rejects import RejectsOption, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from biobert.core.document import Document
    from biobert.core.errors import BadInputError
    from biobert.data.rejects import Rejects
    from biobert.pipeline.suggesting import Suggestions

SHOWN = 10
CURE = "All else is weighed: mend this and ask again"


def register(app: typer.Typer) -> None:
    """Add the verb group."""
    group = typer.Typer(no_args_is_help=True, help="Choose texts for annotators.")
    group.callback()(_group)
    group.command("suggest")(suggest)
    app.add_typer(group, name="label")


def _group() -> None:
    """Choose texts for annotators."""


@answering("label suggest")
def suggest(
    texts: Annotated[list[str], typer.Argument(help="Files, folders, globs, or -.")],
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="A .jsonl or .prodigy.jsonl file, a folder for BRAT."),
    ],
    model: ModelOption = "embedded",
    count: Annotated[int, typer.Option(help="How many texts to suggest.")] = 100,
    by: Annotated[str, typer.Option(help="uncertainty, diversity or both.")] = "both",
    labelled: Annotated[
        list[str] | None, typer.Option(help="Texts that are labelled already; several times.")
    ] = None,
    source_format: Annotated[str | None, typer.Option("--from", help="Format to read.")] = None,
    wanted_format: Annotated[str | None, typer.Option("--to", help="Format to write.")] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="For the groups of diversity.")
    ] = 1,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "auto",
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    rejects: RejectsOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Suggest the texts that teach a model most, with its own answers to be corrected.

    A model for entities or tags is asked sentence by sentence, any other text by text.
    """
    from dataclasses import asdict

    from biobert.data.reading import write_documents
    from biobert.pipeline.inputs import find_inputs
    from biobert.pipeline.load import load_model
    from biobert.pipeline.suggesting import SuggestionSettings, suggest

    chosen = choice("--by", by, ("uncertainty", "diversity", "both"))
    settings = SuggestionSettings(count, chosen, seed)
    read = find_inputs(texts, source_format) + (find_inputs(labelled, None) if labelled else [])
    spare_inputs(read, output)
    problems: dict[str, str] = {}
    with listed(rejects) as set_aside:
        found = suggest(
            _read(texts, source_format, set_aside, problems),
            load_model(model, runtime_settings(engine, precision, device, threads)),
            settings,
            labelled=_read(labelled or [], None, set_aside, problems),
            rejects=set_aside,
        )
        if problems and not found.considered:
            raise _nothing_readable(problems)
        write_documents(found.documents, output, wanted_format)
    data = {
        **asdict(settings),
        "suggested": len(found.documents),
        "considered": found.considered,
        "set_aside": set_aside.count,
        "output": output,
    }
    problem = unreadable(problems.items(), CURE)
    return VerbAnswer(data, lambda: _show(found, set_aside, output), problem)


def _read(
    inputs: list[str], source_format: str | None, rejects: "Rejects", problems: dict[str, str]
) -> "Iterator[Document]":
    """The documents of some inputs; one that cannot be read is noted, and the others go on."""
    from biobert.pipeline.inputs import find_inputs, read_readable

    if inputs:
        paths = find_inputs(inputs, source_format)
        yield from read_readable(paths, source_format, rejects, problems)


def _nothing_readable(problems: dict[str, str]) -> "BadInputError":
    from biobert.core.errors import BadInputError

    path, problem = next(iter(problems.items()))
    return BadInputError(f"nothing to suggest: {path} cannot be read: {problem}", code="unreadable")


def _show(found: "Suggestions", rejects: "Rejects", output: str) -> None:
    from rich.console import Console

    from biobert.cli.summary import show_rejects
    from biobert.pipeline.suggesting import CERTAINTY

    console = Console(highlight=False, stderr=output == "-")
    for document in found.documents[:SHOWN]:
        line = f"{document.metadata[CERTAINTY]}  {' '.join(document.text.split())}"
        console.print(line, markup=False, overflow="ellipsis", no_wrap=True)
    console.print(f"{len(found.documents)} of {found.considered} texts suggested: {output}")
    show_rejects(rejects, console)
