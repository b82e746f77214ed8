"""`biobert data`: the catalogue of corpora, fetching and checking them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import Answer, JsonFlag, answering
from biobert.cli.choices import LARGEST_SEED, of_options, spare_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from biobert.core.document import Document
    from biobert.data.augmentation import AugmentationSettings
    from biobert.data.catalogue import Corpus
    from biobert.data.check import CheckReport
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
    return Answer(values, lambda: _show_values(_in_words(values)))


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
) -> Answer:
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

    spare_inputs([corpus], report)
    rejects = Rejects()
    found = check_splits(corpus, _read_splits(corpus, rejects), rejects)
    if report is not None:
        with write_text(report) as stream:
            json.dump(found.to_json(), stream, indent=2, ensure_ascii=False)
    return Answer(found.to_json(), lambda: _show_check(found))


@answering("data augment")
def augment_corpus(
    corpus: Annotated[str, typer.Argument(metavar="NAME-OR-PATH")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A .jsonl file of the copies.")],
    split: Annotated[str, typer.Option(help="The split to copy.")] = "train",
    copies: Annotated[int, typer.Option(help="Copies of each document.")] = 1,
    mention_rate: Annotated[float, typer.Option(help="Share of mentions to replace.")] = 0.3,
    lexicon: Annotated[str | None, typer.Option(help="TSV of label and term.")] = None,
    ontologies: Annotated[
        list[str] | None, typer.Option("--ontology", help="LABEL=FILE (OBO, TSV of id and name).")
    ] = None,
    synonym_rate: Annotated[float, typer.Option(help="Share of known words to replace.")] = 0.0,
    synonyms: Annotated[str | None, typer.Option(help="TSV of word and synonyms.")] = None,
    filled_rate: Annotated[float, typer.Option(help="Share of words to fill in anew.")] = 0.0,
    language_model: Annotated[
        str | None, typer.Option(help="A pretrained BERT folder or Hugging Face name.")
    ] = None,
    top: Annotated[int, typer.Option(help="Draw among so many words of the model.")] = 5,
    translated_rate: Annotated[float, typer.Option(help="Share of sentences to translate.")] = 0.0,
    translators: Annotated[
        list[str] | None,
        typer.Option("--translator", help="Sequence-to-sequence models: first there, then back."),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Equal seeds give equal copies.")
    ] = 1,
    as_json: JsonFlag = False,
) -> Answer:
    """Write changed copies of annotated documents, without the documents themselves.

    Mentions are replaced by others of their type, words outside them by synonyms, by a language
    model, or sentences by a translation there and back. Annotations stay on their words.
    """
    from biobert.cli.places import corpus_places
    from biobert.core.settings import from_mapping
    from biobert.data.augmentation import AugmentationSettings
    from biobert.data.catalogue import read_split
    from biobert.data.rejects import Rejects

    table = {
        "copies": copies,
        "mention_rate": mention_rate,
        "lexicon": lexicon,
        "ontologies": dict(_label_and_file(one) for one in ontologies or []),
        "synonym_rate": synonym_rate,
        "synonyms": synonyms,
        "filled_rate": filled_rate,
        "language_model": language_model,
        "top": top,
        "translated_rate": translated_rate,
        "translators": [{"model": one} for one in translators or []],
    }
    spare_inputs([corpus], output)
    with of_options():
        settings = from_mapping(AugmentationSettings, table, place="data augment")
    rejects = Rejects()
    documents = read_split(corpus, split, corpus_places(), rejects=rejects)
    data = _write_copies(documents, settings, rejects, output, seed)
    return Answer(data, lambda: _show_values(data))


def _label_and_file(text: str) -> tuple[str, str]:
    from biobert.core.errors import BadInputError

    label, sign, path = text.partition("=")
    if not sign or not label or not path:
        raise BadInputError(f"--ontology {text!r}: write it as LABEL=FILE", code="usage")
    return label, path


def _write_copies(
    documents: "Sequence[Document]",
    settings: "AugmentationSettings",
    rejects: "Rejects",
    output: Path,
    seed: int,
) -> dict[str, Any]:
    from biobert.cli.extras import need_extra
    from biobert.data.augmentation import augmented, term_augmentations
    from biobert.data.reading import write_documents

    if settings.language_model or settings.translators:
        need_extra("torch", "transformers", extra="train")
        from biobert.training.augmentation import build_augmentations

        methods = build_augmentations(settings, documents, rejects)
    else:
        methods = term_augmentations(settings, documents, rejects)
    copies = augmented(documents, methods, copies=settings.copies, seed=seed)
    written = write_documents(copies, output)
    return {
        "documents": len(documents),
        "copies": written,
        "translated": {
            reason: count
            for method in methods
            for reason, count in getattr(method, "counts", {}).items()
        },
        "set_aside": rejects.count,
        "output": str(output),
    }


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
    from rich.markup import escape

    console = Console(highlight=False)
    for key, value in values.items():
        if value not in ("", (), [], {}):
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
            console.print(f"[bold]{key}[/bold]: {escape(str(shown))}")


def _counted(labels: "Mapping[str, int]") -> str:
    return ", ".join(f"{label} {count}" for label, count in labels.items())


def _show_check(report: "CheckReport") -> None:
    from rich.console import Console

    counts = [
        {
            "split": name,
            "documents": one.documents,
            "sentences": one.sentences,
            "words": one.words,
            "mentions": _counted(one.mentions),
            "relations": one.relations,
            "labels": _counted(one.labels),
        }
        for name, one in report.splits.items()
    ]
    _table(report.corpus, counts)
    console = Console(highlight=False)
    console.print(f"malformed or set aside: {report.malformed} {_counted(report.reasons)}".strip())
    for example in report.malformed_examples:
        console.print(f"  {example['file']}:{example['place']}: {example['reason']}", markup=False)
    console.print(f"duplicate documents: {len(report.duplicate_documents)}")
    for duplicate in report.duplicate_documents[:5]:
        console.print(f"  {duplicate}", markup=False)
    if report.repeated_identifiers:
        some = ", ".join(report.repeated_identifiers[:5])
        count = len(report.repeated_identifiers)
        console.print(f"identifiers of several texts: {count}, such as {some}", markup=False)
    for pair, count in report.shared_sentences.items():
        times = report.shared_occurrences[pair]
        console.print(f"shared sentences, {pair}: {count} distinct, {times} in all")
    for pair, count in report.shared_texts.items():
        console.print(f"shared texts, {pair}: {count}")
    for kind, pairs in report.shared_passages.items():
        for pair, count in pairs.items():
            console.print(f"shared passages {kind!r}, {pair}: {count}")
    console.print(f"mentions with several labels: {report.inconsistent_count}")
    for mixed in report.inconsistent_labels[:5]:
        console.print(f"  {mixed.mention!r}: {dict(mixed.labels)}", markup=False)
    console.print("longest sentences:")
    for row in report.longest_sentences:
        console.print(f"  {row['words']} words ({row['split']}): {row['text']}...", markup=False)
