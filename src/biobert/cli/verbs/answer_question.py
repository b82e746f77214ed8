"""`biobert answer`: a question put to a text."""

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
    from collections.abc import Callable

    from biobert.pipeline.answerer import Answers

LARGEST_CONTEXT = 50_000_000
"""In bytes: some ten million words."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("answer")(answer)


@answering("answer")
def answer(
    question: Annotated[str, typer.Argument(help="The question.")],
    context: Annotated[str, typer.Option(help="A text file to answer it from, or -.")],
    model: Annotated[str, typer.Option(help="A model folder that was trained for qa.")],
    top: Annotated[int, typer.Option(help="How many answers to give.", min=1)] = 3,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "auto",
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Find the answers to a question in a text of any length, surest first."""
    from dataclasses import asdict

    from biobert.pipeline.answerer import Answerer

    lost: list[int] = []
    text = _read(context, lost.append)
    settings = runtime_settings(engine, precision, device, threads)
    answerer = Answerer(model, top=top, settings=settings)
    answers = answerer.answer(question, text)
    name = answerer.model.manifest.name
    data = {"model": name, **asdict(answers), "lost_characters": sum(lost)}
    return VerbAnswer(data, lambda: _show(answers, sum(lost)))


def _read(path: str, lost: "Callable[[int], None]") -> str:
    """The text of a file or of standard input; an error where it is too large.

    `lost` is told how many of its characters could not be decoded, if any.
    """
    from biobert.core.errors import BadInputError
    from biobert.core.files import open_utf8, read_at_most

    with open_utf8(path, lost) as stream:
        data = read_at_most(stream, LARGEST_CONTEXT)
    if data is None:
        raise BadInputError(f"--context {path}: more than {LARGEST_CONTEXT} bytes of text")
    return data.decode("utf-8")


def _show(answers: "Answers", lost: int) -> None:
    from rich.console import Console
    from rich.text import Text

    from biobert.cli.texts import as_it_stands

    console = Console(highlight=False)
    if lost:
        errors = Console(stderr=True, highlight=False)
        errors.print(f"--context is not UTF-8: {lost} of its characters became U+FFFD; convert it")
    if not answers.answerable:
        sure = f"{answers.no_answer_probability:.1%}"
        console.print(f"no answer in this text ({sure}); the likeliest places would be:")
    for one in answers.found:
        console.print(f"{one.probability:6.1%}  {one.text}", markup=False, soft_wrap=True)
        start = one.start - one.sentence_start
        sentence = as_it_stands(one.sentence)
        sentence.stylize("bold", start, start + len(one.text))
        console.print(Text("        ") + sentence, soft_wrap=True)
