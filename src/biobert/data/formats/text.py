"""Plain text: a file is a document."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from biobert.core.document import Document, Provenance
from biobert.core.files import STANDARD_STREAM, open_text, plain_name, shown_name
from biobert.data.lines import write_records
from biobert.data.rejects import Rejects

ENDINGS = (".txt", ".text", ".md")
HOLDS: tuple[str, ...] = ()
LARGEST_FILE = 200_000_000


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """The one document of a file; a file beyond 200 million characters is set aside."""
    with open_text(path, rejects.lost_in(path)) as stream:
        text = stream.read(LARGEST_FILE + 1)
    if len(text) > LARGEST_FILE:
        rejects.add(path, "file", f"too large: more than {LARGEST_FILE} characters in one document")
        return
    standard = str(path) == STANDARD_STREAM
    name = "stdin" if standard else plain_name(path).rpartition(".")[0] or plain_name(path)
    yield Document(id=name, text=text, provenance=Provenance(source=shown_name(path)))


def write(documents: Iterable[Document], path: Path | str) -> int:
    """The texts alone, a blank line between two of them."""
    texts = (document.text for document in documents)
    return write_records(texts, path, between="\n\n", foot="\n")
