"""Documents from any file, folder or stream, and back; the format is told by name or ending."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from glob import has_magic
from pathlib import Path
from types import ModuleType

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import (
    STANDARD_STREAM,
    Eager,
    beginning_of_input,
    open_binary,
    plain_name,
)
from biobert.data.beginnings import format_of_beginning, formats_by_root
from biobert.data.formats import SHELF
from biobert.data.formats._xml import root_of
from biobert.data.rejects import Rejects

FOLDER_FORMAT = "brat"
PAIR_ENDINGS = (".txt", ".ann")
NO_PAIR = "no part of a BRAT pair, which is all that --from brat reads"
UNKNOWN_ENDING = "ending not known: name the file, and its format with --from"
ANY_XML = ".xml"
ANNOTATIONS = ("entities", "relations", "labels")
"""The kinds of annotations, of which a format may hold some."""
VERBS = {"read": "read", "write": "written", "read_together": "read with other files"}


def read_documents(
    path: Path | str, format: str | None = None, rejects: Rejects | None = None
) -> Iterator[Document]:
    """Stream the documents of a file (or of a folder of BRAT pairs); bad records go to `rejects`.

    Without `format` the ending decides (`.xml.gz` counts as `.xml`).
    """
    module = _module(format or format_of(path), "read")
    return iter(module.read(path, Rejects() if rejects is None else rejects))


def read_together(
    path: Path, beside: Mapping[str, Path], format: str, rejects: Rejects
) -> Iterator[Document]:
    """Stream the documents of a file that is read with others, which its format knows by name."""
    return iter(_module(format, "read_together").read_together(path, beside, rejects))


def write_documents(
    documents: Iterable[Document], path: Path | str, format: str | None = None
) -> int:
    """Write documents and return how many; a single file appears whole or not at all."""
    module = _module(format or format_of(path), "write")
    count: int = module.write(documents, path)
    return count


def check_readable(path: Path | str, format: str | None = None) -> None:
    """An error where neither `format` nor the ending tells a format that can be read."""
    _module(format or format_of(path), "read")


def check_writable(format: str) -> None:
    """An error where a format is not known, or cannot be written."""
    _module(format, "write")


def held_by(format: str) -> tuple[str, ...]:
    """The kinds of annotations that a format which can be written has a place for."""
    held: tuple[str, ...] = getattr(_module(format, "write"), "HOLDS", ANNOTATIONS)
    return held


def annotations_in(document: Document) -> dict[str, int]:
    """How many annotations of each kind a document has."""
    return {kind: len(getattr(document, kind)) for kind in ANNOTATIONS}


def not_held(format: str, counts: Mapping[str, int]) -> str:
    """What a format has no place for of the annotations that were counted by kind; else nothing."""
    lost = [
        f"{kind} ({count})"
        for kind, count in counts.items()
        if count and kind not in held_by(format)
    ]
    if not lost:
        return ""
    able = ", ".join(one for one in SHELF.names() if _holds_all(one))
    return f"{format} holds no {' or '.join(lost)}: not written; formats that hold all: {able}"


def format_of(path: Path | str) -> str:
    """The format that an ending or a folder tells; an unknown ending lists the known ones.

    Where the ending says no more than `.xml`, the root element tells it.
    """
    if str(path) == STANDARD_STREAM:
        raise BadInputError(
            "a standard stream has no ending: name its format with --from or --to", code="usage"
        )
    place = Path(path)
    name = plain_name(place).lower()
    endings = endings_by_format()
    found = [
        (len(ending), ending, format)
        for format, some in endings.items()
        for ending in some
        if name.endswith(ending)
    ]
    if found:
        _, ending, format = max(found)
        return (_format_of_root(path) or format) if ending == ANY_XML else format
    if place.is_dir() or not (place.suffix or place.is_file()):
        return FOLDER_FORMAT
    known = sorted(ending for some in endings.values() for ending in some)
    raise BadInputError(
        f"{place}: the ending does not tell the format (known: {' '.join(known)}); "
        "name it with --from or --to",
        code="usage",
    )


def format_of_input(path: Path | str) -> str:
    """The format that an input is read as: standard input's beginning tells it."""
    if str(path) == STANDARD_STREAM:
        return format_of_beginning(beginning_of_input())
    return format_of(path)


def files_below(folder: Path, format: str | None) -> list[Path]:
    """The files in a folder and below that can be read, in order; a folder of BRAT pairs is one.

    Deeper, or beside other files, the `.ann` stands for a pair. With `format` all files are read,
    whatever their ending; hidden ones, and those of hidden folders, never are.
    """
    if _is_of_pairs(folder, format):
        return [folder]
    return [
        path
        for path in _visible_below(folder)
        if format or (_has_known_ending(path) and not _has_annotations(path))
    ]


def passed_over(folder: Path, format: str | None) -> dict[Path, str]:
    """The files in a folder and below that nothing is read of, in order, and why; none hidden."""
    visible = _visible_below(folder)
    if format == FOLDER_FORMAT:
        return dict.fromkeys((one for one in visible if not _is_of_pair(one, folder)), NO_PAIR)
    if format is not None:
        return {}
    return dict.fromkeys((one for one in visible if not _has_known_ending(one)), UNKNOWN_ENDING)


def searched_folder(pattern: str) -> Path:
    """The folder that a glob searches: what stands before its first wildcard."""
    folder = Path(pattern)
    while has_magic(str(folder)):
        folder = folder.parent
    return folder


@cache
def readable_endings() -> tuple[str, ...]:
    """The endings of the formats that can be read."""
    able = (module for module in map(SHELF.load, SHELF.names()) if hasattr(module, "read"))
    return tuple(ending for module in able for ending in module.ENDINGS)


@cache
def endings_by_format() -> Mapping[str, tuple[str, ...]]:
    """The endings of every format on the shelf."""
    return {name: tuple(SHELF.load(name).ENDINGS) for name in SHELF.names()}


def _holds_all(format: str) -> bool:
    return hasattr(SHELF.load(format), "write") and set(held_by(format)) >= set(ANNOTATIONS)


def _format_of_root(path: Path | str) -> str | None:
    """The format that the root element of an XML file tells, where there is one to be read."""
    try:
        with open_binary(path) as stream:
            root = root_of(Eager(stream))
    except (BadInputError, OSError):
        return None  # what reads or writes the file says more
    return formats_by_root().get(root)


def _is_of_pairs(folder: Path, format: str | None) -> bool:
    """Whether it is read as one folder of BRAT pairs: nothing else is there that could be read."""
    if format is not None or not any(folder.glob("*.ann")):
        return format == FOLDER_FORMAT
    return not any(
        _has_known_ending(path) and not _is_of_pair(path, folder) for path in _visible_below(folder)
    )


def _is_of_pair(path: Path, folder: Path) -> bool:
    return path.parent == folder and path.suffix in PAIR_ENDINGS


def _visible_below(folder: Path) -> Iterator[Path]:
    """The files in a folder and below, in order, without hidden ones."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _is_hidden(path.relative_to(folder)):
            yield path


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _has_known_ending(path: Path) -> bool:
    return plain_name(path).lower().endswith(readable_endings())


def _has_annotations(path: Path) -> bool:
    """Whether it is the text of a BRAT pair."""
    return path.suffix == ".txt" and path.with_suffix(".ann").is_file()


def _module(format: str, verb: str) -> ModuleType:
    module = SHELF.load(format)
    if not hasattr(module, verb):
        able = [name for name in SHELF.names() if hasattr(SHELF.load(name), verb)]
        raise BadInputError(
            f"format {format!r} cannot be {VERBS[verb]}; these can: {', '.join(able)}",
            code="usage",
        )
    return module
