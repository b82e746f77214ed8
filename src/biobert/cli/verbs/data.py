"""`biobert data`: the catalogue of corpora, fetching and checking them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.augmenting import augment_corpus
from biobert.cli.checked_corpus import show_check
from biobert.cli.choices import spare_inputs
from biobert.cli.tables import show_table, show_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from biobert.core.document import Document
    from biobert.data.catalogue import Corpus
    from biobert.data.rejects import Rejects

SPLITS = ("train", "devel", "test")


def register(app: typer.Typer) -> None:
    """Add the verb group."""
    group = typer.Typer(no_args_is_help=True, help="List, show, get, check and augment corpora.")
    group.command("list")(list_corpora)
    group.command("show")(show_corpus)
    group.command("get")(get_corpus)
    group.command("check")(check_corpus)
    group.command("augment")(augment_corpus)
    app.add_typer(group, name="data")


@answering("data list")
def list_corpora(as_json: JsonFlag = False) -> VerbAnswer:
    """List the corpora of the catalogue."""
    from biobert.data.catalogue import corpus_names, load_corpus

    corpora = [load_corpus(name) for name in corpus_names()]
    rows = [
        {"name": one.name, "task": one.task, "licence": one.licence, "title": one.title}
        for one in corpora
    ]
    return VerbAnswer({"corpora": rows}, lambda: show_table("", rows))


@answering("data show")
def show_corpus(name: str, as_json: JsonFlag = False) -> VerbAnswer:
    """Show one corpus: source, licence, citation, splits."""
    from biobert.core.settings import to_mapping
    from biobert.data.catalogue import load_corpus

    values = to_mapping(load_corpus(name))
    return VerbAnswer(values, lambda: show_values(_in_words(values)))


def _in_words(corpus: dict[str, Any]) -> dict[str, Any]:
    """A row of the catalogue without what is empty, with the place of each file."""
    shown = {key: value for key, value in corpus.items() if value and key != "files"}
    for key in ("counts", "rename"):
        if key in shown:
            shown[key] = [f"{name} {value}" for name, value in shown[key].items()]
    names: dict[str, list[str]] = {}
    for name, file in {**corpus["splits"], **corpus["files"]}.items():
        names.setdefault(file["path"], []).append(name)
    shown["splits"] = [f"$BIOBERT_DATA/{path} ({', '.join(some)})" for path, some in names.items()]
    return shown


@answering("data get")
def get_corpus(
    name: str,
    output: Annotated[Path | None, typer.Option("--output", help="Where to keep it.")] = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Get a corpus: from $BIOBERT_DATA when it is there, else from its address, verified."""
    from biobert.cli.places import cache_folder, data_root
    from biobert.core.files import sha256_of
    from biobert.data.catalogue import find_file, load_corpus
    from biobert.data.places import CorpusPlaces

    corpus = load_corpus(name)
    _need_splits(corpus)
    cache = output or cache_folder()
    files, places = [], CorpusPlaces(cache, data_root())
    for split, wanted in {**corpus.splits, **corpus.files}.items():
        path = find_file(corpus, wanted, places)
        if output is not None:
            path = _copied(path, output / wanted.path)
        found = sha256_of(path)
        state = "ok" if found == wanted.sha256 else "DIFFERS"
        state = state if wanted.sha256 else "no checksum known"
        files.append({"split": split, "path": str(path), "sha256": found, "checksum": state})
    _refuse_others(files)
    return VerbAnswer(
        {"corpus": corpus.name, "files": files}, lambda: show_table(corpus.name, files)
    )


@answering("data check")
def check_corpus(
    corpus: Annotated[str, typer.Argument(metavar="NAME-OR-PATH")],
    report: Annotated[Path | None, typer.Option("--report", help="Write it as JSON too.")] = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Check a corpus: counts, malformed lines, duplicates, leaks between splits, labels."""
    import json

    from biobert.core.files import write_text
    from biobert.data.check import check_splits
    from biobert.data.rejects import Rejects

    spare_inputs([corpus], report)
    rejects = Rejects()
    found = check_splits(corpus, _read_splits(corpus, rejects), rejects)
    if report is not None:
        with write_text(report) as stream:
            json.dump(found.to_json(), stream, indent=2, ensure_ascii=False)
    return VerbAnswer(found.to_json(), lambda: show_check(found))


def _copied(path: Path, target: Path) -> Path:
    """The file at `target`, copied unless it is there."""
    import shutil

    from biobert.core.files import temporary_sibling

    if not target.is_file():
        with temporary_sibling(target) as unfinished:
            shutil.copyfile(path, unfinished)
            unfinished.replace(target)
    return target


def _refuse_others(files: "Sequence[Mapping[str, str]]") -> None:
    from biobert.core.errors import BiobertError

    others = [one["path"] for one in files if one["checksum"] == "DIFFERS"]
    if others:
        raise BiobertError(
            f"not the files of the catalogue, by their checksums: {', '.join(others)}; "
            "move them away, and they are fetched",
            code="checksum",
        )


def _need_splits(corpus: "Corpus") -> None:
    from biobert.core.errors import BiobertError

    if not corpus.splits:
        raise BiobertError(
            f"corpus {corpus.name!r} cannot be fetched: {corpus.obtain}", code="not-open"
        )


def _read_splits(corpus: str, rejects: "Rejects") -> "dict[str, list[Document]]":
    from biobert.cli.places import corpus_places
    from biobert.core.errors import BadInputError
    from biobert.data.catalogue import load_corpus, read_split
    from biobert.data.rejects import Rejects

    place, files = Path(corpus), dict[str, str]()
    if place.is_file() or list(place.glob("*.ann")):
        wanted = ["all"]
    elif place.is_dir():
        wanted = [split for split in SPLITS if list(place.glob(f"{split[:3]}*"))]
    else:
        row = load_corpus(corpus)
        _need_splits(row)
        # Of a corpus that has more, such as folds, each document is checked once.
        wanted = [split for split in SPLITS if split in row.splits] or list(row.splits)
        files = {split: file.path for split, file in row.splits.items()}
    if not wanted:
        raise BadInputError(f"{corpus}: no train, devel or test file in this folder")
    found, counted = {}, set()
    for split in wanted:
        # Splits of one file have the same rejects: they count once.
        own = Rejects() if files.get(split, split) in counted else rejects
        counted.add(files.get(split, split))
        found[split] = read_split(corpus, split, corpus_places(), rejects=own)
    return found
