"""Tables: CSV or TSV of texts with labels, and BioBERT's relation files.

With a header, the columns are `text` (or `sentence`), and if there, `id` (or `index`), `label`
(several joined by `|`). Without one: `index, sentence, label`, as BioBERT's relation files have
it, or `sentence, label`, or the sentence alone.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from biobert.core.document import Document, Provenance
from biobert.core.files import plain_name, write_text
from biobert.data.formats._tables import table_rows
from biobert.data.rejects import Rejects

ENDINGS = (".tsv", ".csv")
TEXT_COLUMNS = ("text", "sentence", "abstract")
ID_COLUMNS = ("id", "index", "pmid")
LABEL_COLUMNS = ("label", "labels", "class")


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """A document for each row; its labels are `Document.labels`."""
    columns: dict[str, int] | None = None
    for number, row in table_rows(path, rejects, delimiter=_delimiter(path)):
        if columns is None:
            columns = _header(row)
            if columns:
                continue
        if any(cell.strip() for cell in row):
            yield from _document(row, columns, path, number, rejects)


def write(documents: Iterable[Document], path: Path | str) -> int:
    """`id`, `text`, `label`, with a header."""
    count = 0
    with write_text(path) as stream:
        # Quoting on writing, so that line breaks and tabs inside a text survive.
        writer = csv.writer(stream, delimiter=_delimiter(path), lineterminator="\n")
        writer.writerow(["id", "text", "label"])
        for count, document in enumerate(documents, start=1):  # noqa: B007
            writer.writerow([document.id, document.text, "|".join(document.labels)])
    return count


def _delimiter(path: Path | str) -> str:
    return "," if plain_name(path).endswith(".csv") else "\t"


def _header(row: Sequence[str]) -> dict[str, int]:
    """Column numbers by purpose; empty when the first row is no header."""
    names = [cell.strip().lower() for cell in row]
    found = {}
    purposes = {"text": TEXT_COLUMNS, "id": ID_COLUMNS, "label": LABEL_COLUMNS}
    for purpose, known in purposes.items():
        number = next((names.index(name) for name in known if name in names), None)
        if number is not None:
            found[purpose] = number
    return found if "text" in found else {}


def _document(
    row: Sequence[str],
    columns: dict[str, int],
    path: Path | str,
    number: int,
    rejects: Rejects,
) -> Iterator[Document]:
    if not columns:
        columns = {"id": 0, "text": 1, "label": 2} if len(row) >= 3 else {"text": 0, "label": 1}
        if len(row) == 1:
            columns = {"text": 0}
    if max(columns.values()) >= len(row):
        rejects.add(path, number, f"too few columns: {len(row)} in this row")
        return
    cells = {purpose: row[position] for purpose, position in columns.items()}
    labels = [label for label in cells.get("label", "").split("|") if label.strip()]
    yield Document(
        id=cells.get("id") or str(number),
        text=cells["text"],
        labels=tuple(labels),
        provenance=Provenance(source=Path(path).name),
    )
