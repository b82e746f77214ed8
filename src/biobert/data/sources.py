"""Where the text of a corpus comes from: what a user writes becomes a list of files."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from glob import glob, has_magic
from pathlib import Path

from biobert.core.errors import BadInputError
from biobert.core.files import CHUNK_BYTES, Eager, files_at, open_binary, sha256_of_all, writable
from biobert.data.catalogue import Corpus, SplitPlace, find_split, load_corpus
from biobert.data.formats import SHELF, pubmed
from biobert.data.formats._xml import utf8_blocks
from biobert.data.places import CorpusPlaces
from biobert.data.reading import (
    FOLDER_FORMAT,
    files_below,
    format_of,
    passed_over,
    searched_folder,
)
from biobert.data.rejects import Rejects

PUBMED = "pubmed"
DELETIONS_START, DELETIONS_END = b"<DeleteCitation>", b"</DeleteCitation>"
OVERLAP = 80


@dataclass(frozen=True, slots=True)
class SplitPart:
    """A split of a catalogued corpus that is but a part of its files."""

    corpus: str
    split: str
    place: SplitPlace


@dataclass(frozen=True, slots=True)
class Source:
    """One file. `name` is what the user wrote, or a path below it: never a place on this machine.

    `licence` is the licence of all its documents, where a catalogue says it. With `part`, only the
    documents of that split are meant.
    """

    name: str
    path: Path
    format: str
    licence: str = ""
    bytes: int = 0
    sha256: str = ""
    part: SplitPart | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """Files with their sizes and checksums; `deleted` are PubMed numbers that updates delete."""

    sources: tuple[Source, ...]
    deleted: frozenset[str] = frozenset()


def find_sources(
    names: Sequence[str],
    places: CorpusPlaces,
    *,
    format: str | None,
    rejects: Rejects | None = None,
) -> list[Source]:
    """Files, folders, globs and splits of catalogued corpora (`NAME:train+devel`), in order.

    Files of a folder that are not read go to `rejects`.
    """
    set_aside = Rejects() if rejects is None else rejects
    found: list[Source] = []
    for name in names:
        place = Path(name)
        if place.is_file():
            found.append(_source(place.name, place, format))
        elif place.is_dir():
            found += _in_folder(place, format, set_aside)
        elif has_magic(name):
            found += _matches(name, format)
        elif ":" in name:
            found += _splits(name, places)
        else:
            raise BadInputError(
                f"no such file or folder: {name}; a split of a catalogued corpus is written "
                "NAME:split, such as NCBI-disease:train",
                code="not-found",
            )
    if not found:
        raise BadInputError(f"no sources found in {', '.join(names)}", code="not-found")
    return found


def survey(sources: Iterable[Source], *, workers: int) -> Survey:
    """Look at every file once: its size, its checksum and, in PubMed's, what it deletes."""
    files = list(sources)
    with ThreadPoolExecutor(workers) as pool:
        looked_at = tuple(pool.map(_measured, files))
        deleted = pool.map(_deleted_numbers, (one for one in files if one.format == PUBMED))
        return Survey(looked_at, frozenset().union(*deleted))


def _source(name: str, path: Path, format: str | None) -> Source:
    told = format or format_of(path)
    if not hasattr(SHELF.load(told), "read"):
        raise BadInputError(f"{name}: format {told!r} cannot be read", code="usage")
    return Source(writable(name), path.absolute(), told)


def _in_folder(folder: Path, format: str | None, rejects: Rejects) -> Iterator[Source]:
    name = folder.resolve().name
    for path, reason in passed_over(folder, format).items():
        rejects.add(path, "file", reason)
    for path in files_below(folder, format):
        if path == folder:
            yield _source(name, folder, FOLDER_FORMAT)
        else:
            yield _source(f"{name}/{path.relative_to(folder).as_posix()}", path, format)


def _matches(pattern: str, format: str | None) -> Iterator[Source]:
    folder = searched_folder(pattern)
    for match in sorted(glob(pattern, recursive=True)):  # noqa: PTH207
        path = Path(match)
        if path.is_file():
            yield _source(path.relative_to(folder).as_posix(), path, format)


def _splits(name: str, places: CorpusPlaces) -> Iterator[Source]:
    corpus_name, _, wanted = name.partition(":")
    corpus = load_corpus(corpus_name)
    for split in [wanted] if wanted in corpus.splits else wanted.split("+"):
        place = find_split(corpus, split, places)
        source = _source(f"{corpus.name}:{split}", place.path, corpus.format or None)
        whole = not (place.beside or corpus.splits[split].part or corpus.splits[split].share)
        part = None if whole else SplitPart(corpus.name, split, place)
        yield replace(source, licence=_licence(corpus), part=part)


def _licence(corpus: Corpus) -> str:
    """Empty where each document has its own."""
    return "" if corpus.task == "corpus" else corpus.licence


def _measured(source: Source) -> Source:
    """Its size and checksum; of several files, the checksum of their checksums."""
    files = source.part.place.files if source.part else files_at(source.path)
    size = sum(path.stat().st_size for path in files)
    return replace(source, bytes=size, sha256=sha256_of_all(files))


def _deleted_numbers(source: Source) -> set[str]:
    """The numbers in `<DeleteCitation>`; of a damaged file, those before the damage."""
    numbers: set[str] = set()
    try:
        with open_binary(source.path) as stream:
            for stretch in _deletions(utf8_blocks(Eager(stream), CHUNK_BYTES)):
                numbers.update(one.decode() for one in pubmed.PMID.findall(stretch))
    except (BadInputError, OSError):
        pass  # reading the file for its text says so, with its name
    return numbers


def _deletions(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """What stands between the two tags, in stretches that overlap by more than a number."""
    rest, inside = b"", False
    for block in blocks:
        text, rest = rest + block, b""
        while text:
            tag = DELETIONS_END if inside else DELETIONS_START
            place = text.find(tag)
            if inside:
                yield text if place < 0 else text[:place]
            if place < 0:
                rest, text = text[-OVERLAP:], b""
            else:
                text, inside = text[place + len(tag) :], not inside
