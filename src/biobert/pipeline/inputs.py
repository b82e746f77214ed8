"""What a user names on the command line as the files to read."""

from collections.abc import Iterable, Iterator
from glob import glob
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import STANDARD_STREAM, plain_name
from biobert.data.reading import endings_by_format, read_documents
from biobert.data.rejects import Rejects


def find_inputs(inputs: Iterable[str], source_format: str | None) -> list[str]:
    """Files to read, each once, in order: folders are searched, globs expanded."""
    found: list[str] = []
    for name in inputs:
        place = Path(name)
        if name == STANDARD_STREAM or place.is_file():
            found.append(name)
        elif place.is_dir():
            found += _in_folder(place, source_format)
        elif matches := sorted(glob(name, recursive=True)):  # noqa: PTH207
            found += [match for match in matches if Path(match).is_file()]
        else:
            raise BadInputError(f"no such file, folder or pattern: {name}", code="not-found")
    if not found:
        raise BadInputError(f"nothing to read in {', '.join(inputs)}", code="not-found")
    return list(dict.fromkeys(found))


def read_inputs(
    paths: Iterable[str], source_format: str | None, rejects: Rejects
) -> Iterator[Document]:
    """The documents of the files that were found; standard input is text unless told otherwise."""
    for path in paths:
        own = "text" if path == STANDARD_STREAM else None
        yield from read_documents(path, source_format or own, rejects)


def _in_folder(folder: Path, source_format: str | None) -> list[str]:
    if source_format == "brat" or (source_format is None and list(folder.glob("*.ann"))):
        return [str(folder)]
    endings = tuple(ending for some in endings_by_format().values() for ending in some)
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [
        str(path)
        for path in files
        if source_format or plain_name(path).lower().endswith(endings)
        if not path.name.startswith(".")
    ]
