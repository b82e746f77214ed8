"""`biobert vocab`: word pieces of one's own."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering, unreadable
from biobert.cli.rejects import RejectsOption, listed, show_set_aside

if TYPE_CHECKING:
    from rich.table import Table

    from biobert.data.rejects import Rejects
    from biobert.data.sources import Source
    from biobert.text.fertility import VocabularyReport
    from biobert.text.tokenizer import Tokenizer
    from biobert.text.vocabulary import VocabularySettings, WordCounts

REPORT = "report.json"
PACKET_BYTES = 4_000_000
SECONDS_BETWEEN_LINES = 60.0
CURE = "All else is learnt from: mend this and learn again"


def register(app: typer.Typer) -> None:
    """Add the verb group."""
    group = typer.Typer(no_args_is_help=True, help="Learn a vocabulary of word pieces.")
    group.command("train")(train_vocabulary)
    app.add_typer(group, name="vocab")


@answering("vocab train")
def train_vocabulary(
    sources: Annotated[
        list[str], typer.Argument(help="Files, folders, globs, or NAME:split of the catalogue.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The tokenizer folder to write.")],
    size: Annotated[int, typer.Option(help="Pieces, special tokens included.")] = 16384,
    case: Annotated[str, typer.Option(help="uncased or cased.")] = "uncased",
    compare: Annotated[
        str | None,
        typer.Option(help="Measure beside this one: a folder, a hub name, or `embedded`."),
    ] = None,
    terms: Annotated[
        Path | None, typer.Option(help="Terms to measure on, one a line; else the annotated ones.")
    ] = None,
    source_format: Annotated[str | None, typer.Option("--from", help="Format to read.")] = None,
    rejects: RejectsOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Learn a WordPiece vocabulary from documents, and report how well it reads.

    Writes tokenizer.json, tokenizer_config.json, vocab.txt and report.json. Every 50th document is
    not learnt from but measured on. Without --terms, mentions that the sources annotate are
    measured as terms, or rare words where nothing is annotated.
    """
    from dataclasses import asdict

    from biobert.cli.places import corpus_places
    from biobert.data.packets import damaged_sources
    from biobert.data.sources import find_sources
    from biobert.text.fertility import vocabulary_report
    from biobert.text.vocabulary import train_vocabulary as learn

    settings = _settings(size, case)
    others = [_compared(compare)] if compare else []
    _need_folder(output)
    with listed(rejects) as set_aside:
        given = _terms(terms, set_aside) if terms else None
        files = find_sources(sources, corpus_places(), format=source_format, rejects=set_aside)
        counts, mentions = _read(files, set_aside)
        tokenizer = learn(counts.learnt, settings)
        report = vocabulary_report([("new", tokenizer), *others], counts, given or mentions)
        _write(tokenizer, report, output)
    data = {"output": str(output), "set_aside": set_aside.count, **asdict(report)}
    problem = unreadable(damaged_sources(set_aside), CURE)
    return VerbAnswer(data, lambda: _show(report, output, set_aside.count), problem)


def _settings(size: int, case: str) -> "VocabularySettings":
    from biobert.core.errors import BadInputError
    from biobert.core.settings import from_mapping
    from biobert.text.vocabulary import VocabularySettings

    try:
        return from_mapping(VocabularySettings, {"size": size, "case": case}, place="vocab train:")
    except BadInputError as problem:
        raise BadInputError(str(problem), code="usage") from None


def _compared(name: str) -> "tuple[str, Tokenizer]":
    from biobert.pipeline.load import tokenizer_folder
    from biobert.text.tokenizer import Tokenizer

    folder = tokenizer_folder(name)
    shown = folder.resolve().name if Path(name).exists() else name
    return shown, Tokenizer.from_folder(folder)


def _terms(path: Path, rejects: "Rejects") -> set[str]:
    from biobert.core.errors import BadInputError
    from biobert.core.files import open_text

    with open_text(path, rejects.lost_in(path)) as stream:
        found = {line.strip() for line in stream} - {""}
    if not found:
        raise BadInputError(f"--terms {path}: no terms in it; write one a line")
    return found


def _need_folder(output: Path) -> None:
    from biobert.core.errors import BadInputError

    if output.exists() and not output.is_dir():
        raise BadInputError(f"--output {output} is a file; name a folder", code="usage")


def _read(files: "Sequence[Source]", rejects: "Rejects") -> "tuple[WordCounts, set[str]]":
    """The words of all documents, and the mentions that are annotated in them."""
    from biobert.data.cleaning import Removed, cleaned
    from biobert.data.packets import documents_of, packets_of
    from biobert.text.vocabulary import count_words

    mentions: set[str] = set()

    def texts() -> Iterator[str]:
        removed = Removed()
        for packet in packets_of(tuple(files), 0, PACKET_BYTES):
            rejects.extend(packet.rejects)
            for piece in packet.pieces:
                for document in documents_of(piece, rejects):
                    mentions.update(document.mention(entity) for entity in document.entities)
                    yield cleaned(document, removed).text

    return count_words(_followed(texts())), mentions


def _followed(texts: Iterable[str]) -> Iterator[str]:
    """The same texts, with a count on standard error: moving on a terminal, else now and then."""
    from time import monotonic

    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    printed = monotonic()
    characters = 0
    with console.status("reading") as status:
        for number, text in enumerate(texts, start=1):
            characters += len(text)
            line = f"{number} documents, {characters / 1e6:.0f} million characters"
            if console.is_terminal:
                status.update(line)
            elif monotonic() - printed > SECONDS_BETWEEN_LINES:
                printed = monotonic()
                console.print(line)
            yield text


def _write(tokenizer: "Tokenizer", report: "VocabularyReport", output: Path) -> None:
    import json
    from dataclasses import asdict

    from biobert.core.files import write_text
    from biobert.text.vocabulary import save_vocabulary

    save_vocabulary(tokenizer, output)
    with write_text(output / REPORT) as stream:
        json.dump(asdict(report), stream, indent=2, ensure_ascii=False)


def _show(report: "VocabularyReport", output: Path, set_aside: int) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_table(report))
    console.print(
        f"text: {report.text}, of {report.documents} documents in all; "
        f"terms: {report.term_count}, {report.terms}"
    )
    for example in report.examples:
        console.print(f"  {example.term}", markup=False, soft_wrap=True)
        for one, split in zip(report.vocabularies, example.splits, strict=True):
            console.print(f"    {one.name}: {split}", markup=False, soft_wrap=True)
    show_set_aside(console, set_aside)
    console.print(f"tokenizer folder: {output}", markup=False, soft_wrap=True)


def _table(report: "VocabularyReport") -> "Table":
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for column in ("vocabulary", "on", "words", "pieces", "pieces/word", "whole, %", "unknown, %"):
        table.add_column(column, justify="left" if column in ("vocabulary", "on") else "right")
    for one in report.vocabularies:
        for kind, found in (("text", one.text), ("terms", one.terms)):
            name = f"{one.name} ({one.size})" if kind == "text" else ""
            shares = (f"{100 * found.whole_words:.1f}", f"{100 * found.unknown_words:.3f}")
            counts = (str(found.words), str(found.pieces), f"{found.pieces_per_word:.3f}")
            table.add_row(name, kind, *counts, *shares)
    return table
