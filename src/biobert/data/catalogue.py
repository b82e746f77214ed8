"""The catalogue of corpora: what they are, where they come from, how they are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.settings import from_mapping, read_toml
from biobert.core.shelf import unknown_name
from biobert.data.download import fetch
from biobert.data.reading import format_of, read_documents
from biobert.data.rejects import Rejects


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file: its path below the data folder, its address, and its checksum ("" if unknown)."""

    path: str
    url: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A row of the catalogue.

    `labels` are the entity types it annotates, under our names; `rename` maps the file's names to
    them. `obtain` says how to get a corpus that no address gives. `weights` says whether models
    trained on it may be passed on. `test_identifiers` names the split that lists the articles of
    the test set by number, where the test set is no file of documents.
    """

    name: str
    title: str
    task: str
    licence: str
    citation: str
    format: str = ""
    homepage: str = ""
    obtain: str = ""
    weights: str = "allowed"
    labels: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, CorpusFile] = field(default_factory=dict)
    test_identifiers: str = ""
    counts: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""


# The names under which published corpora keep a split: BioBERT's folders, BLURB's, our own.
SPLIT_FILES = {
    "train": ("train.tsv", "train.txt", "train.conll", "train.PubTator.txt"),
    "train+devel": ("train_dev.tsv", "train_devel.tsv"),
    "devel": ("devel.tsv", "dev.tsv", "devel.txt", "dev.txt", "devel.conll", "devel.PubTator.txt"),
    "test": ("test.tsv", "test.txt", "test.conll", "test.PubTator.txt"),
}


@cache
def corpus_names() -> tuple[str, ...]:
    """Every name in the catalogue, sorted."""
    folder = files("biobert.data") / "corpora"
    rows = (Path(row.name) for row in folder.iterdir())
    return tuple(sorted(row.stem for row in rows if row.suffix == ".toml"))


def load_corpus(name: str) -> Corpus:
    """The row called `name`, upper and lower case alike; a typo names the nearest."""
    known = {one.lower(): one for one in corpus_names()}
    if name.lower() not in known:
        raise unknown_name("corpus", name, corpus_names())
    row = Path(str(files("biobert.data") / "corpora" / f"{known[name.lower()]}.toml"))
    values = read_toml(row)
    splits = {
        split: from_mapping(CorpusFile, one, place=f"{row.name} [splits.{split}]")
        for split, one in values.pop("splits", {}).items()
    }
    return replace(from_mapping(Corpus, values, place=row.name), splits=splits)


def find_split(corpus: Corpus, split: str, *, data_root: Path | None, cache: Path) -> Path:
    """The file of a split: below `data_root` where it is there, else fetched once into `cache`."""
    if split not in corpus.splits:
        raise unknown_name(f"split of {corpus.name}", split, corpus.splits)
    found = local_split(corpus, split, data_root=data_root, cache=cache)
    if found is not None:
        return found
    wanted = corpus.splits[split]
    if not wanted.url:
        raise BadInputError(
            f"corpus {corpus.name!r} has no open address: {corpus.obtain or corpus.homepage}; "
            f"put its file at $BIOBERT_DATA/{wanted.path}",
            code="not-found",
        )
    return fetch(wanted.url, cache / wanted.path, sha256=wanted.sha256)


def local_split(corpus: Corpus, split: str, *, data_root: Path | None, cache: Path) -> Path | None:
    """The file of a split where it is on this machine already, or None."""
    for root in (data_root, cache):
        if root is not None and (root / corpus.splits[split].path).is_file():
            return root / corpus.splits[split].path
    return None


def read_split(
    corpus: str,
    split: str,
    *,
    data_root: Path | None,
    cache: Path,
    rejects: Rejects | None = None,
) -> list[Document]:
    """The documents of a split of a catalogued corpus, a folder or a file, with our label names.

    A single file is its own and only split.
    """
    rejects = Rejects() if rejects is None else rejects
    place = Path(corpus)
    if place.is_dir() and not list(place.glob("*.ann")):
        return _read_labelled(_split_file(place, split), rejects)
    if place.exists():
        return _read_labelled(place, rejects)
    if place.suffix or "/" in corpus:
        raise BadInputError(f"no such corpus file or folder: {corpus}", code="not-found")
    row = load_corpus(corpus)
    path = find_split(row, split, data_root=data_root, cache=cache)
    documents = read_documents(path, row.format or None, rejects)
    renamed = (with_renamed_labels(document, row.rename) for document in documents)
    return [replace(document, annotated_labels=row.labels) for document in renamed]


def _split_file(folder: Path, split: str) -> Path:
    names = SPLIT_FILES.get(split, (f"{split}.tsv", f"{split}.conll", f"{split}.PubTator.txt"))
    for name in names:
        if (folder / name).is_file():
            return folder / name
    there = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
    raise BadInputError(
        f"{folder}: no file for split {split!r} (looked for {', '.join(names)}; there is {there})",
        code="not-found",
    )


def _read_labelled(path: Path, rejects: Rejects) -> list[Document]:
    """Documents of a user's own file: the labels that occur are the labels it annotates."""
    format = "conll" if path.suffix == ".tsv" else format_of(path)
    documents = list(read_documents(path, format, rejects))
    labels = sorted({entity.label for one in documents for entity in one.entities})
    return [replace(one, annotated_labels=tuple(labels)) for one in documents]


def with_renamed_labels(document: Document, names: Mapping[str, str]) -> Document:
    """The document with its labels renamed: those of entities, relations and the document itself,
    and in what it annotates. Labels that become the same are given once."""
    if not names:
        return document
    entities = [
        replace(entity, label=names.get(entity.label, entity.label)) for entity in document.entities
    ]
    relations = [replace(one, label=names.get(one.label, one.label)) for one in document.relations]
    return replace(
        document.with_entities(entities),
        relations=tuple(dict.fromkeys(relations)),
        labels=tuple(dict.fromkeys(names.get(label, label) for label in document.labels)),
        annotated_labels=tuple(
            dict.fromkeys(names.get(label, label) for label in document.annotated_labels)
        ),
    )
