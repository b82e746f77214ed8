"""The summary of an annotation run, in colour on a terminal."""

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from biobert.cli.rejects import show_set_aside
from biobert.cli.texts import as_it_stands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biobert.core.document import Document, Relation
    from biobert.data.rejects import Rejects
    from biobert.pipeline.batch import BatchResult

COLOURS = {
    "Disease": "red",
    "Chemical": "blue",
    "Gene": "green",
    "Species": "magenta",
    "Anatomy": "yellow",
}
MOST_FREQUENT = 8
MENTIONS_SHOWN = 6
REJECTS_SHOWN = 3


def show_result(
    result: "BatchResult", rejects: "Rejects", remarks: "Sequence[str]", *, to_stdout: bool
) -> None:
    """Print texts that were kept to be shown, then the summary.

    `remarks` are lines to end with, such as on what the formats written have no place for.
    """
    console = Console(file=sys.stderr if to_stdout else sys.stdout, highlight=False)
    for document in result.shown:
        _show_document(document, console)
    if result.labels:
        console.print(_by_type(result))
    if result.document_labels:
        counts = ", ".join(
            f"{label} {count}" for label, count in result.document_labels.most_common()
        )
        console.print(f"labels: {counts}", markup=False)
    if result.relations:
        counts = ", ".join(f"{label} {count}" for label, count in result.relations.most_common())
        console.print(f"relations: {counts}", markup=False)
    words = f"{result.documents} documents, {result.sentences} sentences"
    speed = f"{result.seconds:.2f} s, {result.sentences_per_second:.0f} sentences/s"
    console.print(f"{words} in {speed} with {result.model}")
    if result.skipped:
        console.print(f"{result.skipped} inputs were done before and skipped")
    if result.kept:
        console.print(f"{result.kept} more documents had been annotated before the run was stopped")
    show_rejects(rejects, console)
    for line in remarks:
        console.print(line, markup=False, soft_wrap=True)
    for output in result.outputs[:MOST_FREQUENT]:
        console.print(f"  wrote {output}", markup=False)
    if len(result.outputs) > MOST_FREQUENT:
        console.print(f"  and {len(result.outputs) - MOST_FREQUENT} more files")


def _show_document(document: "Document", console: Console) -> None:
    """The text with all that was found in it or said of it."""
    from biobert.tasks.generation import GENERATED
    from biobert.tasks.similarity import SIMILARITY

    console.print(highlighted(document), soft_wrap=True)
    for label in document.labels:
        console.print(labelled(document, label))
    for relation in document.relations:
        console.print(related(document, relation), soft_wrap=True)
    for name in (SIMILARITY, GENERATED):
        if (said := document.metadata.get(name)) is not None:
            console.print(Text(f"  {name}: ", style="bold").append(said), soft_wrap=True)
    console.print()


def show_rejects(rejects: "Rejects", console: Console) -> None:
    """Say how many records were set aside, if any, and what the first of them are."""
    show_set_aside(console, rejects.count)
    for one in rejects.kept[:REJECTS_SHOWN]:
        console.print(f"  {one.file}:{one.place}: {one.reason}", markup=False, soft_wrap=True)


def highlighted(document: "Document") -> Text:
    """The text with its entities coloured by type."""
    text = as_it_stands(document.text)
    for entity in document.entities:
        text.stylize(f"bold {_colour(entity.label)}", entity.start, entity.end)
    return text


def labelled(document: "Document", label: str) -> Text:
    """A label of the document, with its probability."""
    text = Text("  ").append(label, style="bold")
    score = document.label_scores.get(label)
    return text if score is None else text.append(f" ({100 * score:.0f}%)")


def related(document: "Document", relation: "Relation") -> Text:
    """A relation with its score, and below it the sentences that say so."""
    ends = [document.argument_text(argument) for argument in relation.arguments]
    text = Text("  ").append(relation.label, style="bold").append(f": {', '.join(ends)}")
    if relation.score is not None:
        text.append(f" ({100 * relation.score:.0f}%)")
    for span in relation.evidence:
        sentence = " ".join(document.text[span.start : span.end].split())
        text.append(f"\n      {sentence}", style="dim")
    return text


def _by_type(result: "BatchResult") -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("type")
    table.add_column("mentions", justify="right")
    table.add_column("most frequent")
    for label, count in result.labels.most_common():
        frequent = [
            f"{mention} ({times})" if times > 1 else mention
            for (mention, own), times in result.mentions.most_common()
            if own == label
        ]
        name = Text(label, style=f"bold {_colour(label)}")
        table.add_row(name, str(count), ", ".join(frequent[:MENTIONS_SHOWN]))
    return table


def _colour(label: str) -> str:
    return COLOURS.get(label, "cyan")
