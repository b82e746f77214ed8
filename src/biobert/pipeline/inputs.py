"""What a user names on the command line as the files to read."""

import os
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from glob import glob
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import STANDARD_STREAM, files_at
from biobert.data.reading import (
    check_readable,
    files_below,
    format_of_input,
    read_documents,
    searched_folder,
)
from biobert.data.rejects import Rejects

WRONG_CALL = ("usage", "unknown-name")
"""Codes of errors that every input would have: they end the run."""


def find_inputs(
    inputs: Iterable[str], source_format: str | None, *, without: Path | None = None
) -> list[str]:
    """Files to read, each once, in order: folders are searched, globs expanded.

    Of a folder that is searched, the part `without` inside it is left out. A file that was named
    and tells no format is an error.
    """
    found: list[str] = []
    for name in inputs:
        place = Path(name)
        if name == STANDARD_STREAM:
            found.append(name)
        elif place.is_file():
            found += _readable([name], source_format)
        elif place.is_dir():
            found += _below(place, source_format, without)
        elif matches := sorted(glob(name, recursive=True)):  # noqa: PTH207
            files = [match for match in matches if Path(match).is_file()]
            files = _outside(files, searched_folder(name), without)
            found += _readable(files, source_format)
        else:
            raise BadInputError(f"no such file, folder or pattern: {name}", code="not-found")
    if not found:
        raise BadInputError(f"nothing to read in {', '.join(inputs)}", code="not-found")
    first: dict[str, str] = {}
    for name in found:
        first.setdefault(named_place(name), name)
    return list(first.values())


def named_place(path: str) -> str:
    """The absolute path, without `..`; what a link points to has a place of its own."""
    return os.path.abspath(path)  # noqa: PTH100


def files_of(path: str) -> list[Path]:
    """The files that are read of an input: of a folder those in it, of an `.ann` its text too."""
    place = Path(path)
    if place.suffix == ".ann" and place.with_suffix(".txt").is_file():
        return [place, place.with_suffix(".txt")]
    return files_at(place)


def read_inputs(
    paths: Iterable[str], source_format: str | None, rejects: Rejects
) -> Iterator[Document]:
    """The documents of the files that were found, and of standard input."""
    for path in paths:
        yield from read_documents(path, source_format or format_of_input(path), rejects)


@contextmanager
def noting(path: str, problems: MutableMapping[str, str]) -> Iterator[None]:
    """Notes what keeps an input from being read to its end, so that others can be; a wrong call,
    which every input would be, is an error."""
    try:
        yield
    except OSError as problem:
        problems[path] = problem.strerror or str(problem)
    except BadInputError as problem:
        if problem.code in WRONG_CALL:
            raise
        problems[path] = str(problem).removeprefix(f"{path}: ")


def read_readable(
    paths: Iterable[str],
    source_format: str | None,
    rejects: Rejects,
    problems: MutableMapping[str, str],
) -> Iterator[Document]:
    """The documents of inputs, of each as far as it can be read; one with a fault is set aside."""
    for path in paths:
        with noting(path, problems):
            yield from read_inputs([path], source_format, rejects)
        if path in problems:
            rejects.add(path, "file", problems[path])


def _below(folder: Path, source_format: str | None, without: Path | None) -> list[str]:
    if without is not None and folder.resolve() == without.resolve():
        raise BadInputError(
            f"{folder} is searched, and would be filled: name another --output, such as "
            f"{folder / 'annotated'}",
            code="usage",
        )
    return _outside(map(str, files_below(folder, source_format)), folder, without)


def _outside(paths: Iterable[str], searched: Path, without: Path | None) -> list[str]:
    """The paths in a folder that was searched, but for its part `without`."""
    if without is None or searched.resolve() not in without.resolve().parents:
        return list(paths)
    part = searched / without.resolve().relative_to(searched.resolve())
    return [path for path in paths if not Path(path).is_relative_to(part)]


def _readable(paths: Sequence[str], source_format: str | None) -> Sequence[str]:
    for path in paths:
        check_readable(path, source_format)
    return paths
