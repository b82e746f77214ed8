"""`--rejects FILE`: the list of what a verb could not read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from biobert.data.rejects import Rejects

RejectsOption = Annotated[Path | None, typer.Option(help="List records that were set aside.")]


@contextmanager
def listed(
    path: Path | None, as_told: "Callable[[Rejects], Rejects]" = lambda rejects: rejects
) -> "Iterator[Rejects]":
    """What a verb sets aside; it is in the file in the end, also where the verb fails."""
    from biobert.data.rejects import Rejects

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
