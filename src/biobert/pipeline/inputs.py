"""What a user names on the command line as the files to read."""

from collections.abc import Iterable, Iterator
from glob import glob
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import STANDARD_STREAM
from biobert.data.reading import files_below, read_documents
from biobert.data.rejects import Rejects


def find_inputs(
    inputs: Iterable[str], source_format: str | None, *, without: Path | None = None
) -> list[str]:
    """Files to read, each once, in order: folders are searched, globs expanded.

    Of a folder that is searched, the part `without` inside it is left out.
    """
    found: list[str] = []
    for name in inputs:
        place = Path(name)
        if name == STANDARD_STREAM or place.is_file():
            found.append(name)
        elif place.is_dir():
            found += _below(place, source_format, without)
        elif matches := sorted(glob(name, recursive=True)):  # noqa: PTH207
            found += [match for match in matches if Path(match).is_file()]
        else:
            raise BadInputError(f"no such file, folder or pattern: {name}", code="not-found")
    if not found:
        raise BadInputError(f"nothing to read in {', '.join(inputs)}", code="not-found")
    first: dict[Path, str] = {}
    for name in found:
        first.setdefault(Path(name).absolute(), name)
    return list(first.values())


def read_inputs(
    paths: Iterable[str], source_format: str | None, rejects: Rejects
) -> Iterator[Document]:
    """The documents of the files that were found; standard input is text unless told otherwise."""
    for path in paths:
        own = "text" if path == STANDARD_STREAM else None
        yield from read_documents(path, source_format or own, rejects)


def _below(folder: Path, source_format: str | None, without: Path | None) -> list[str]:
    found = files_below(folder, source_format)
    if without is not None and folder.resolve() in without.resolve().parents:
        part = folder / without.resolve().relative_to(folder.resolve())
        found = [path for path in found if not path.is_relative_to(part)]
    return [str(path) for path in found]
