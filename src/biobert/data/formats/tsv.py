"""Tables: CSV or TSV of texts with labels, and BioBERT's relation files.

With a header, the columns are `text` (or `sentence`, `abstract`), and if there, `title`, `id` (or
`index`, `pmid`), `label` (several joined by `|`). Title and text become passages of one document,
as PubMed's do. Without a header: `index, sentence, label`, as BioBERT's relation files have it, or
`sentence, label`, or the sentence alone. Semicolons may part a CSV whose header shows them.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from biobert.core.document import Document, Passage, Provenance
from biobert.core.errors import BadInputError
from biobert.core.files import (
    STANDARD_STREAM,
    beginning_of_input,
    open_text,
    plain_name,
    shown_name,
    write_text,
)
from biobert.data.formats._passages import Part, joined
from biobert.data.formats._tables import table_rows
from biobert.data.rejects import Rejects

ENDINGS = (".tsv", ".csv")
HOLDS = ("labels",)
TEXT_COLUMNS = ("text", "sentence", "abstract")
TITLE = "title"
ID_COLUMNS = ("id", "index", "pmid")
LABEL_COLUMNS = ("label", "labels", "class")
MARKS = ",;"
"""Where decimals have a comma, programs part the cells of a CSV by semicolons."""
LONGEST_HEADER = 10_000


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """A document for each row; its labels are `Document.labels`."""
    columns: Mapping[str, int] | None = None
    kind = ""
    for number, row in table_rows(path, rejects, delimiter=_delimiter_in(path)):
        if columns is None:
            columns = _header(row)
            if columns:
                kind = row[columns["text"]].strip().lower()
                continue
        if any(cell.strip() for cell in row):
            try:
                yield _document(row, columns or _unnamed(row), kind, number, shown_name(path))
            except BadInputError as problem:
                rejects.add(path, number, str(problem))


def begins(text: str) -> bool:
    """Whether the first line is a header with a column of texts among others."""
    first = text.partition("\n")[0]
    return bool(_mark_in(first)) or ("\t" in first and bool(_header(first.split("\t"))))


def write(documents: Iterable[Document], path: Path | str) -> int:
    """`id`, `text`, `label`, with a header."""
    count, delimiter = 0, _delimiter(path)
    with write_text(path) as stream:
        # Quotes keep line breaks. Behind both a break and a tab none can tell rows that are quoted
        # from those that hold quotes as text: a tab in a TSV becomes a blank.
        plain = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        quoted = csv.writer(stream, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
        plain.writerow(["id", "text", "label"])
        for document in documents:
            cells = (document.id, document.text, "|".join(document.labels))
            # A carriage return ends a line, too, and up to Python 3.12 is not quoted for that.
            writer = quoted if any("\r" in cell for cell in cells) else plain
            writer.writerow(
                [cell.replace("\t", " ") if delimiter == "\t" else cell for cell in cells]
            )
            count += 1
    return count


def _delimiter(path: Path | str) -> str:
    return "," if plain_name(path).endswith(".csv") else "\t"


def _delimiter_in(path: Path | str) -> str:
    """That of a table to be read: its ending and its header tell it."""
    if str(path) == STANDARD_STREAM:
        head = beginning_of_input().decode("utf-8-sig", errors="ignore")
        return _mark_in(head.lstrip().partition("\n")[0]) or "\t"
    ended = _delimiter(path)
    if ended == "\t":
        return ended
    with open_text(path, lambda lost: None) as stream:  # what reads the rows tells
        return _mark_in(stream.readline(LONGEST_HEADER)) or ended


def _mark_in(line: str) -> str:
    """The mark between the cells of a header, no comma between words of prose; else nothing."""
    for mark in MARKS:
        cells = [cell.strip().strip('"') for cell in line.split(mark)]
        if len(_header(cells)) > 1 and not any(len(cell.split()) > 1 for cell in cells):
            return mark
    return ""


def _header(row: Sequence[str]) -> dict[str, int]:
    """Column numbers by purpose; empty when the first row is no header."""
    names = [cell.strip().lower() for cell in row]
    found = {}
    purposes = {"text": TEXT_COLUMNS, TITLE: (TITLE,), "id": ID_COLUMNS, "label": LABEL_COLUMNS}
    for purpose, known in purposes.items():
        number = next((names.index(name) for name in known if name in names), None)
        if number is not None:
            found[purpose] = number
    if "text" not in found and TITLE in found:
        found["text"] = found.pop(TITLE)
    return found if "text" in found else {}


def _unnamed(row: Sequence[str]) -> dict[str, int]:
    """Column numbers by purpose where there is no header."""
    if len(row) == 1:
        return {"text": 0}
    return {"id": 0, "text": 1, "label": 2} if len(row) >= 3 else {"text": 0, "label": 1}


def _document(
    row: Sequence[str], columns: Mapping[str, int], kind: str, number: int, source: str
) -> Document:
    """The document of a row; its text becomes a passage of this kind where there is a title."""
    if max(columns.values()) >= len(row):
        raise BadInputError(f"too few columns: {len(row)} in this row")
    cells = {purpose: row[position] for purpose, position in columns.items()}
    text: str = cells["text"]
    passages: tuple[Passage, ...] = ()
    if TITLE in cells:
        text, passages = joined([Part(TITLE, cells[TITLE]), Part(kind, text)])
        if not text:
            raise BadInputError("no text: neither title nor text in this row")
    labels = [label for label in cells.get("label", "").split("|") if label.strip()]
    return Document(
        id=cells.get("id") or str(number),
        text=text,
        passages=passages,
        labels=tuple(labels),
        provenance=Provenance(source=source),
    )
