"""Rows of CSV and TSV tables, whose cells may go over several lines."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from biobert.core.files import bounded_lines, open_text
from biobert.data.rejects import TOO_LONG, Rejects

LARGEST_FIELD = 10_000_000


def table_rows(
    path: Path | str, rejects: Rejects, *, delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells of each row; one that cannot be read is set aside."""
    csv.field_size_limit(LARGEST_FIELD)
    with open_text(path) as stream:
        rows = csv.reader(_lines(stream, path, rejects), delimiter=delimiter)
        number = 0
        while True:
            number += 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as problem:
                rejects.add(path, number, f"bad row: {problem}")
                continue
            yield number, row


def named_rows(
    path: Path | str, columns: Sequence[str], rejects: Rejects
) -> Iterator[tuple[int, dict[str, str]]]:
    """Of a CSV table with a header the number of each row and its cells in these columns.

    A row that is too short is set aside, and so is the header where it lacks a column.
    """
    rows = table_rows(path, rejects, delimiter=",")
    number, header = next(rows, (0, []))
    places = {name: header.index(name) for name in columns if name in header}
    if header and len(places) < len(columns):
        missing = next(name for name in columns if name not in places)
        rejects.add(path, number, f"no header: column {missing!r} is missing")
        places = {}
    # Also without a header the rest is read, so that a file which breaks off says so.
    for number, row in rows:
        if places and max(places.values()) < len(row):
            yield number, {name: row[place].strip() for name, place in places.items()}
        elif places and row:
            rejects.add(path, number, f"too few columns: {len(row)} in this row")


def _lines(stream: IO[str], path: Path | str, rejects: Rejects) -> Iterator[str]:
    for number, line in bounded_lines(stream):
        if line is None:
            rejects.add(path, number, TOO_LONG)
        else:
            yield line
