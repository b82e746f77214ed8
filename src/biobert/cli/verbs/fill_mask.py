"""`biobert fill-mask`: what a masked language model has learnt."""

from typing import TYPE_CHECKING, Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.engine import (
    DeviceOption,
    EngineOption,
    PrecisionOption,
    ThreadsOption,
    runtime_settings,
)

if TYPE_CHECKING:
    from biobert.pipeline.gap_filler import Gap


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("fill-mask")(fill_mask)


@answering("fill-mask")
def fill_mask(
    text: Annotated[str, typer.Argument(help="A text with [MASK] where a word is wanted.")],
    model: Annotated[
        str, typer.Option(help="A pretrained BERT, a folder or a hub name.")
    ] = "models/biobert-mini",
    top: Annotated[int, typer.Option(help="How many candidates to give.", min=1)] = 5,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "float32",
    threads: ThreadsOption = None,
    device: DeviceOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Say which words a pretrained model puts where the text says [MASK]."""
    from dataclasses import asdict

    from biobert.pipeline.gap_filler import GapFiller

    settings = runtime_settings(engine, precision, device, threads)
    gaps = GapFiller(model, settings=settings).fill(text, top=top)
    data = {"text": text, "model": model, "gaps": [asdict(gap) for gap in gaps]}
    return VerbAnswer(data, lambda: _show(text, gaps))


def _show(text: str, gaps: "list[Gap]") -> None:
    from rich.console import Console

    from biobert.cli.texts import as_it_stands

    console = Console(highlight=False)
    for gap in gaps:
        line = as_it_stands(text)
        line.stylize("bold", gap.start, gap.end)
        console.print(line, soft_wrap=True)
        for one in gap.candidates:
            console.print(f"  {one.probability:6.1%}  {one.piece}", markup=False)
