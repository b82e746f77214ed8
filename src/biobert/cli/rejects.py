"""`--rejects FILE`: the list of what a verb could not read."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biobert.core.errors import BadInputError

if TYPE_CHECKING:
    from rich.console import Console

    from biobert.data.rejects import Rejects

RejectsOption = Annotated[Path | None, typer.Option(help="List records that were set aside.")]


@contextmanager
def listed(
    path: Path | None, as_told: "Callable[[Rejects], Rejects]" = lambda rejects: rejects
) -> "Iterator[Rejects]":
    """What a verb sets aside; it is in the file in the end, also where the verb fails."""
    from biobert.data.rejects import Rejects

    if path is not None:
        _check_list(path)
    set_aside = Rejects()
    try:
        yield set_aside
    except BaseException:
        # A call that was refused leaves the list of an earlier one as it is.
        if path is not None and set_aside.count:
            as_told(set_aside).write(path)
        raise
    if path is not None:
        as_told(set_aside).write(path)


def show_set_aside(console: "Console", count: int) -> None:
    """Say how many records were set aside, if any, and how to see which."""
    if count:
        console.print(f"{count} records set aside; list them with --rejects FILE")


def all_set_aside(done: str, documents: int, rejects: "Rejects") -> BadInputError | None:
    """The error of a verb of whose documents none could be `done`; an empty input is none."""
    if documents or not rejects.count:
        return None
    first = rejects.kept[0]
    return BadInputError(
        f"nothing was {done}: every document was set aside ({rejects.count}); mend the first at "
        f"{first.file}:{first.place}: {first.reason}",
        code="all-set-aside",
    )


def _check_list(path: Path) -> None:
    """An error where the file is there, and no list of an earlier call: it may be an input."""
    if not path.is_file() or not path.stat().st_size:
        return
    with path.open("rb") as stream:
        line = stream.readline()
    try:
        is_list = bool({"reason", "not_listed"} & json.loads(line).keys())
    except (ValueError, AttributeError):
        is_list = False
    if not is_list:
        raise BadInputError(
            f"--rejects {path} is no list of an earlier call, and would be overwritten; name "
            "another place",
            code="usage",
        )
