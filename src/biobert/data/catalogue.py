"""The catalogue of corpora: what they are, where they come from, how they are read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import plain_name
from biobert.core.settings import from_mapping, read_toml
from biobert.core.shelf import unknown_name
from biobert.data.download import fetch
from biobert.data.formats import conll
from biobert.data.places import CorpusPlaces
from biobert.data.reading import endings_by_format, format_of, read_documents, read_together
from biobert.data.rejects import Rejects
from biobert.data.splits import documents_of


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file: its path below the data folder, its address, and its checksum ("" if unknown).

    Of a file that holds several splits `part` names those that are meant, as its documents have
    them in their metadata (`split`); `share` (from, to) takes the documents whose identifiers
    fall there by chance, from 0 to 1, where a corpus has no split of its own.
    """

    path: str
    url: str = ""
    sha256: str = ""
    part: tuple[str, ...] = ()
    share: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitPlace:
    """Where the file of a split is on this machine, and those that are read with it, by name."""

    path: Path
    beside: Mapping[str, Path] = field(default_factory=dict)

    @property
    def files(self) -> list[Path]:
        """All that is read."""
        return [self.path, *self.beside.values()]


@dataclass(frozen=True, slots=True)
class Corpus:
    """A row of the catalogue.

    `labels` are the labels it annotates, under our names; `rename` maps the file's names to them.
    `relations` are those that it annotates between its entities.
    `files` are read together with each split. `obtain` says how to get a corpus that no address
    gives. `weights` says whether models trained on it may be passed on. `test_identifiers` names
    the one of `files` that lists the articles of the test set by number; `test_of` another corpus
    with the same test articles.
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
    relations: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, CorpusFile] = field(default_factory=dict)
    files: Mapping[str, CorpusFile] = field(default_factory=dict)
    test_identifiers: str = ""
    test_of: str = ""
    counts: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""


SHOWN = 8
"""So many values are shown of what documents say."""

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
    splits = _files(values.pop("splits", {}), f"{row.name} [splits]")
    beside = _files(values.pop("files", {}), f"{row.name} [files]")
    return replace(from_mapping(Corpus, values, place=row.name), splits=splits, files=beside)


def _files(tables: Mapping[str, Any], place: str) -> dict[str, CorpusFile]:
    return {
        name: from_mapping(CorpusFile, one, place=f"{place} {name}") for name, one in tables.items()
    }


def find_split(corpus: Corpus, split: str, places: CorpusPlaces) -> SplitPlace:
    """The files of a split: in the folder of corpora where they are there, else fetched."""
    if split not in corpus.splits:
        raise unknown_name(f"split of {corpus.name}", split, corpus.splits)
    beside = {name: find_file(corpus, wanted, places) for name, wanted in corpus.files.items()}
    path = find_file(corpus, corpus.splits[split], places)
    return SplitPlace(path, beside)


def find_file(corpus: Corpus, wanted: CorpusFile, places: CorpusPlaces) -> Path:
    """One file of a corpus: in the folder of corpora where it is there, else fetched once."""
    found = local_file(wanted, places)
    if found is not None:
        return found
    if not wanted.url:
        raise BadInputError(
            f"corpus {corpus.name!r} has no open address: {corpus.obtain or corpus.homepage}; "
            f"put its file at $BIOBERT_DATA/{wanted.path}",
            code="not-found",
        )
    return fetch(wanted.url, places.cache / wanted.path, sha256=wanted.sha256)


def local_split(corpus: Corpus, split: str, places: CorpusPlaces) -> SplitPlace | None:
    """The files of a split where all of them are on this machine already, or None."""
    path = local_file(corpus.splits[split], places)
    beside = {name: local_file(one, places) for name, one in corpus.files.items()}
    found = {name: one for name, one in beside.items() if one is not None}
    return None if path is None or len(found) < len(beside) else SplitPlace(path, found)


def local_file(wanted: CorpusFile, places: CorpusPlaces) -> Path | None:
    """A file where it is on this machine already, or None."""
    for root in (places.data_root, places.cache):
        if root is not None and (root / wanted.path).is_file():
            return root / wanted.path
    return None


def documents_in(
    corpus: Corpus, split: str, place: SplitPlace, rejects: Rejects
) -> Iterator[Document]:
    """The documents of a split that is on this machine, with the file's own labels."""
    if corpus.files:
        documents = read_together(place.path, place.beside, corpus.format, rejects)
    else:
        documents = read_documents(place.path, corpus.format or None, rejects)
    wanted = corpus.splits[split]
    return documents_of(documents, parts=wanted.part, share=wanted.share)


def read_split(
    corpus: str, split: str, places: CorpusPlaces, *, rejects: Rejects | None = None
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
    files = find_split(row, split, places)
    documents = documents_in(row, split, files, rejects)
    renamed = (with_renamed_labels(document, row.rename) for document in documents)
    return [replace(document, annotated_labels=row.labels) for document in renamed]


def _split_file(folder: Path, split: str) -> Path:
    names = SPLIT_FILES.get(split, (f"{split}.tsv", f"{split}.conll", f"{split}.PubTator.txt"))
    names += tuple(f"{split}{ending}" for some in endings_by_format().values() for ending in some)
    for name in names:
        if (folder / name).is_file():
            return folder / name
    there = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
    raise BadInputError(
        f"{folder}: no file for split {split!r} (looked for {names[0]} and the like; "
        f"there is {there})",
        code="not-found",
    )


def _read_labelled(path: Path, rejects: Rejects) -> list[Document]:
    """Documents of a user's own file. What it annotates is what its documents say, else the labels
    that occur in it."""
    format = format_of(path)
    if plain_name(path).endswith(".tsv") and format == "tsv" and conll.begins_with_tag(path):
        format = "conll"  # as BioBERT's folders of mentions have it
    documents = list(read_documents(path, format, rejects))
    labels = sorted({entity.label for one in documents for entity in one.entities})
    return [
        replace(one, annotated_labels=one.annotated_labels or tuple(labels)) for one in documents
    ]


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


def check_renamed(documents: Sequence[Document], names: Mapping[str, str], *, corpus: str) -> None:
    """An error for a label to be renamed that neither the documents have nor the catalogue says the
    corpus has."""
    there = {
        name
        for one in documents
        for name in (
            *one.annotated_labels,
            *one.labels,
            *(entity.label for entity in one.entities),
            *(relation.label for relation in one.relations),
        )
    }
    if not Path(corpus).exists():
        row = load_corpus(corpus)
        there |= {*row.labels, *row.relations}
    for name in names:
        if name not in there:
            raise unknown_name(f"label of {corpus} to rename", name, there)


def documents_where(
    documents: Sequence[Document], said: Mapping[str, str], *, corpus: str
) -> list[Document]:
    """The documents whose metadata say all of this; an error where there are none among some."""
    found = [
        document
        for document in documents
        if all(document.metadata.get(key) == value for key, value in said.items())
    ]
    if documents and not found:
        known = ((key, one.metadata.get(key)) for one in documents for key in said)
        there = sorted({f"{key}={value}" for key, value in known if value is not None})
        raise BadInputError(
            f"{corpus}: no document where {shown_where(said)}; "
            f"there is {', '.join(there[:SHOWN]) or 'no such metadata'}"
        )
    return found


def shown_where(said: Mapping[str, str]) -> str:
    """What documents must say, in a line (`type=yesno`)."""
    return " ".join(f"{key}={value}" for key, value in said.items())


def has_splits(corpus: str) -> bool:
    """Whether a corpus has more than one split: a single file, or a folder of BRAT pairs, is its
    own and only one."""
    place = Path(corpus)
    return not place.is_file() and not any(place.glob("*.ann"))
