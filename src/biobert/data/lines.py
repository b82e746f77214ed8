"""Text files of lines and records: what readers and writers share."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from biobert.core.files import LONGEST_LINE, bounded_lines, open_text, write_text
from biobert.data.rejects import Rejects

TOO_LONG = "line too long: more than {} characters"


def lines_of(
    path: Path | str, rejects: Rejects, longest: int = LONGEST_LINE
) -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers; one that is too long is set aside."""
    with open_text(path, rejects.lost_in(path)) as stream:
        for number, line in bounded_lines(stream, longest):
            if line is None:
                rejects.add(path, number, TOO_LONG.format(longest))
            else:
                yield number, line


def write_records(
    records: Iterable[str], path: Path | str, *, head: str = "", between: str = "", foot: str = ""
) -> int:
    """Write records one by one, and say how many there were."""
    count = 0
    with write_text(path) as stream:
        stream.write(head)
        for count, record in enumerate(records, start=1):
            stream.write(between * (count > 1) + record)
        stream.write(foot)
    return count
