"""Rows of CSV and TSV tables, whose cells may go over several lines."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from biobert.data.lines import lines_of
from biobert.data.rejects import Rejects

LARGEST_FIELD = 10_000_000
Line = tuple[int, str]


def table_rows(
    path: Path | str, rejects: Rejects, *, delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row and the number of its first line; a bad one is set aside.

    A quote that fits no other swallows no rows: reading goes on with the next line. Tables parted
    by tabs are often written without quoting, so there such a line's quotes are text, and so are
    those around a tab and the end of a line.
    """
    csv.field_size_limit(LARGEST_FIELD)
    lines = lines_of(path, rejects)
    again: deque[Line] = deque()
    while True:
        taken: list[Line] = []
        rows = csv.reader(_taken(again, lines, taken), delimiter=delimiter, strict=True)
        try:
            row = next(rows, None)
            if row and delimiter == "\t" and len(taken) > 1 and any("\t" in one for one in row):
                raise csv.Error("its quotes stand in different rows")
        except csv.Error as problem:
            again.extendleft(reversed(taken[1:]))
            number, line = taken[0]
            if delimiter == "\t":
                yield number, line.rstrip("\r\n").split(delimiter)
            else:
                rejects.add(path, number, f"bad row: {problem}")
            continue
        if row is None:
            return
        yield taken[0][0], row


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


def _taken(again: deque[Line], lines: Iterator[Line], taken: list[Line]) -> Iterator[str]:
    """The lines that are read again, then the others; `taken` is told which were asked for."""
    while (one := again.popleft() if again else next(lines, None)) is not None:
        taken.append(one)
        yield one[1]
