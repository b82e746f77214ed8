"""Pairs of sentences with a number that says how similar they are: STS tables, BIOSSES, MedSTS.

A row is a document with the passages `first` and `second`; the number is `similarity` in its
metadata. With a header, columns are found by name: `sentence1` or `sentence 1` (or `text_1`), the
same with 2, `score` (or `similarity`), `id`; several columns of annotators (`annotator_a`, ...,
or `A` to `E`) are averaged. Without one, rows are `sentence1, sentence2, score` (MedSTS) or those
of the STS benchmark, seven columns with the score in the fifth. Cells are parted by tabs and quotes
mean themselves, unless a spreadsheet has put a whole cell into them. The ending is `.sts.tsv`; save
the sheets of BIOSSES as one such table, sentences beside scores.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from biobert.core.document import Document, Provenance
from biobert.core.errors import BadInputError
from biobert.core.files import shown_name
from biobert.data.formats._passages import Part, joined
from biobert.data.lines import lines_of, write_records
from biobert.data.rejects import Rejects

ENDINGS = (".sts.tsv", ".sts")
HOLDS: tuple[str, ...] = ()
PARTS = ("first", "second")
SIMILARITY = "similarity"
COLUMNS = {
    "first": re.compile(r"(sentence|text|s)[ _]?1"),
    "second": re.compile(r"(sentence|text|s)[ _]?2"),
    "score": re.compile(r"score|similarity|gold"),
    "annotator": re.compile(r"annotator[ _-]?\w+|[a-e]"),
    "id": re.compile(r"id|pair|pair #|document_id"),
}
MEDSTS = {"first": [0], "second": [1], "score": [2]}
BENCHMARK = {"first": [5], "second": [6], "score": [4]}
BENCHMARK_COLUMNS = 7

Columns = Mapping[str, Sequence[int]]


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """A document for each pair; a row without two sentences, or with no number, is set aside."""
    columns: Columns | None = None
    for number, line in lines_of(path, rejects):
        cells = [_bare(cell) for cell in line.rstrip("\r\n").split("\t")]
        if columns is None:
            columns = _header(cells)
            if columns:
                continue
        if any(cells):
            try:
                yield _document(cells, columns, number, path)
            except (BadInputError, ValueError) as problem:
                rejects.add(path, number, f"bad pair: {problem}")


def write(documents: Iterable[Document], path: Path | str) -> int:
    """A table with a header; white space inside a sentence becomes a blank."""
    head = "id\tsentence1\tsentence2\tscore\n"
    return write_records(map(_row, documents), path, head=head)


def _row(document: Document) -> str:
    texts = [_text(document, kind) for kind in PARTS]
    cells = [document.id, *texts, document.metadata.get(SIMILARITY, "")]
    return "\t".join(map(_cell, cells)) + "\n"


def _header(cells: Sequence[str]) -> dict[str, list[int]]:
    """Column numbers by purpose; empty where the row is no header."""
    names = [cell.lower() for cell in cells]
    found = {
        purpose: [place for place, name in enumerate(names) if pattern.fullmatch(name)]
        for purpose, pattern in COLUMNS.items()
    }
    return found if found["first"] and found["second"] else {}


def _document(
    cells: Sequence[str], columns: Columns | None, number: int, path: Path | str
) -> Document:
    known = columns or (BENCHMARK if len(cells) >= BENCHMARK_COLUMNS else MEDSTS)
    texts = [_first(cells, known, kind) for kind in PARTS]
    text, passages = joined(Part(kind, one) for kind, one in zip(PARTS, texts, strict=True))
    if len(passages) < len(PARTS):
        raise BadInputError("a pair needs two sentences")
    score = _score(cells, known)
    return Document(
        id=_first(cells, known, "id") or str(number),
        text=text,
        passages=passages,
        provenance=Provenance(source=shown_name(path)),
        metadata={} if score is None else {SIMILARITY: f"{score:.6g}"},
    )


def _first(cells: Sequence[str], columns: Columns, purpose: str) -> str:
    places = columns.get(purpose, ())
    return cells[places[0]] if places and places[0] < len(cells) else ""


def _score(cells: Sequence[str], columns: Columns) -> float | None:
    """The score, else the mean of the annotators; None where the row has neither."""
    for purpose in ("score", "annotator"):
        given = [cells[place] for place in columns.get(purpose, ()) if place < len(cells)]
        numbers = [float(cell) for cell in given if cell]
        if numbers:
            mean = sum(numbers) / len(numbers)
            if not math.isfinite(mean):
                raise BadInputError(f"score {mean} is no number")
            return mean
    return None


def _text(document: Document, kind: str) -> str:
    found = [one for one in document.passages if one.kind == kind]
    if len(found) != 1:
        raise BadInputError(f"document {document.id!r} needs one passage {kind!r} to be a pair")
    return document.text[found[0].start : found[0].end]


def _bare(cell: str) -> str:
    """The cell without white space around it, and without a spreadsheet's quotes."""
    text = cell.strip()
    inner = text[1:-1].replace('""', "")
    if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in inner:
        return text[1:-1].replace('""', '"').strip()
    return text


def _cell(value: str) -> str:
    text = " ".join(value.split())
    return '"' + text.replace('"', '""') + '"' if text.startswith('"') else text
