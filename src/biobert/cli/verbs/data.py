"""`biobert data`: the catalogue of corpora, fetching and checking them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import Answer, JsonFlag, answering

if TYPE_CHECKING:
    from biobert.core.document import Document
    from biobert.data.catalogue import Corpus
    from biobert.data.check import CheckReport
    from biobert.data.rejects import Rejects

SPLITS = ("train", "devel", "test")


def register(app: typer.Typer) -> None:
    """Add the verb group."""
    group = typer.Typer(no_args_is_help=True, help="List, show, get and check corpora.")
    group.command("list")(list_corpora)
    group.command("show")(show_corpus)
    group.command("get")(get_corpus)
    group.command("check")(check_corpus)
    app.add_typer(group, name="data")


@answering("data list")
def list_corpora(as_json: JsonFlag = False) -> Answer:
    """List the corpora of the catalogue."""
    from biobert.data.catalogue import corpus_names, load_corpus

    corpora = [load_corpus(name) for name in corpus_names()]
    rows = [
        {"name": one.name, "task": one.task, "licence": one.licence, "title": one.title}
        for one in corpora
    ]
    return Answer({"corpora": rows}, lambda: _table("", rows))


@answering("data show")
def show_corpus(name: str, as_json: JsonFlag = False) -> Answer:
    """Show one corpus: source, licence, citation, splits."""
    from biobert.core.settings import to_mapping
    from biobert.data.catalogue import load_corpus

    values = to_mapping(load_corpus(name))
    return Answer(values, lambda: _show_values(values))


@answering("data get")
def get_corpus(
    name: str,
    output: Annotated[Path | None, typer.Option("--output", help="Where to keep it.")] = None,
    as_json: JsonFlag = False,
) -> Answer:
    """Get a corpus: from $BIOBERT_DATA when it is there, else from its address, verified."""
    from biobert.cli.places import cache_folder, data_root
    from biobert.core.files import sha256_of
    from biobert.data.catalogue import find_split, load_corpus

    corpus = load_corpus(name)
    _need_splits(corpus)
    cache = output or cache_folder()
    files = []
    for split in corpus.splits:
        path = find_split(corpus, split, data_root=data_root(), cache=cache)
        found = sha256_of(path)
        wanted = corpus.splits[split].sha256
        state = "no checksum known" if not wanted else ("ok" if found == wanted else "DIFFERS")
        files.append({"split": split, "path": str(path), "sha256": found, "checksum": state})
    return Answer({"corpus": corpus.name, "files": files}, lambda: _table(corpus.name, files))


@answering("data check")
def check_corpus(
    corpus: Annotated[str, typer.Argument(metavar="NAME-OR-PATH")],
    report: Annotated[Path | None, typer.Option("--report", help="Write it as JSON too.")] = None,
    as_json: JsonFlag = False,
) -> Answer:
    """Check a corpus: counts, malformed lines, duplicates, leaks between splits, labels."""
    import json

    from biobert.core.files import write_text
    from biobert.data.check import check_splits
    from biobert.data.rejects import Rejects

    rejects = Rejects()
    found = check_splits(corpus, _read_splits(corpus, rejects), rejects)
    if report is not None:
        with write_text(report) as stream:
            json.dump(found.to_json(), stream, indent=2, ensure_ascii=False)
    return Answer(found.to_json(), lambda: _show_check(found))


def _need_splits(corpus: "Corpus") -> None:
    from biobert.core.errors import BiobertError

    if not corpus.splits:
        raise BiobertError(
            f"corpus {corpus.name!r} cannot be fetched: {corpus.obtain}", code="not-open"
        )


def _read_splits(corpus: str, rejects: "Rejects") -> "dict[str, list[Document]]":
    from biobert.cli.places import cache_folder, data_root
    from biobert.core.errors import BadInputError
    from biobert.data.catalogue import load_corpus, read_split

    place = Path(corpus)
    if place.is_file() or list(place.glob("*.ann")):
        wanted = ["all"]
    elif place.is_dir():
        wanted = [split for split in SPLITS if list(place.glob(f"{split[:3]}*"))]
    else:
        row = load_corpus(corpus)
        _need_splits(row)
        wanted = list(row.splits)
    if not wanted:
        raise BadInputError(f"{corpus}: no train, devel or test file in this folder")
    return {
        split: read_split(
            corpus, split, data_root=data_root(), cache=cache_folder(), rejects=rejects
        )
        for split in wanted
    }


def _table(title: str, rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, box=None, header_style="bold")
    for column in rows[0] if rows else ():
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)


def _show_values(values: dict[str, Any]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for key, value in values.items():
        if value:
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
            console.print(f"[bold]{key}[/bold]: {shown}")


def _show_check(report: "CheckReport") -> None:
    from rich.console import Console

    counts = [
        {
            "split": name,
            "documents": one.documents,
            "sentences": one.sentences,
            "words": one.words,
            "mentions": ", ".join(f"{label} {count}" for label, count in one.mentions.items()),
            "relations": one.relations,
        }
        for name, one in report.splits.items()
    ]
    _table(report.corpus, counts)
    console = Console(highlight=False)
    console.print(f"malformed lines: {report.malformed}")
    for example in report.malformed_examples:
        console.print(f"  {example['file']}:{example['place']}: {example['reason']}", markup=False)
    console.print(f"duplicate documents: {len(report.duplicate_documents)}")
    for duplicate in report.duplicate_documents[:5]:
        console.print(f"  {duplicate}", markup=False)
    for pair, count in report.shared_sentences.items():
        console.print(f"shared sentences, {pair}: {count}")
    console.print(f"mentions with several labels: {report.inconsistent_count}")
    for mixed in report.inconsistent_labels[:5]:
        console.print(f"  {mixed.mention!r}: {dict(mixed.labels)}", markup=False)
    console.print("longest sentences:")
    for row in report.longest_sentences:
        console.print(f"  {row['words']} words ({row['split']}): {row['text']}...", markup=False)
