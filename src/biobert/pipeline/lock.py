"""One run at a time: who holds a file holds what it stands for, and a killed run lets go."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from biobert.core.errors import BadInputError

LOCK = ".biobert-lock"


@contextmanager
def sole_run(folder: Path) -> Iterator[None]:
    """Keeps an output folder, made where there is none, for this run until the end.

    Raises BadInputError where another run is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / LOCK
    with place.open("a") as file:
        hold(file, folder)
        try:
            yield
        finally:
            place.unlink(missing_ok=True)


def hold(file: IO[Any], folder: Path) -> None:
    """Keep an open file in this folder for this run until it is closed; an error where another
    run has it."""
    if not _is_ours(file):
        raise BadInputError(
            f"{folder}: another run is at work there; wait for it, or name another --output"
        )


def _is_ours(file: IO[Any]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks
    # A run that ends removes its file: whoever has opened it just before holds nothing.
    return os.fstat(file.fileno()).st_nlink > 0
