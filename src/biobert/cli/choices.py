"""Options that take some values only, and some together only: others are a wrong call."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from biobert.core.errors import BadInputError

LARGEST_SEED = 2**31
"""Those who draw take four bytes; a search counts on from it."""


def choice(option: str, value: str | None, known: tuple[str, ...]) -> Any:
    """The word, if it is one of those known; None stays."""
    if value is not None and value not in known:
        raise BadInputError(f"{option} {value}: one of {', '.join(known)}", code="usage")
    return value


def listed_names(written: str | None) -> tuple[str, ...] | None:
    """The names of an option that holds several, parted by commas; None where there are none."""
    names = tuple(filter(None, map(str.strip, (written or "").split(","))))
    return names or None


def need_option(needed: str, why: str, given: Mapping[str, object]) -> None:
    """An error where one of the options in `given` has a value without the one that it needs."""
    for option, value in given.items():
        if value is not None:
            raise BadInputError(f"{option} needs {needed}: {why}", code="usage")


def spare_inputs(inputs: Iterable[str], output: str | Path | None) -> None:
    """An error where the file that a verb writes is one of those that it reads."""
    from biobert.core.files import STANDARD_STREAM
    from biobert.pipeline.outputs import check_targets

    if output is not None and str(output) != STANDARD_STREAM:
        check_targets(inputs, [Path(output)])


@contextmanager
def of_options() -> Iterator[None]:
    """For settings that are made of options: what is wrong with them is wrong with the call."""
    try:
        yield
    except BadInputError as problem:
        raise BadInputError(str(problem), code="usage") from None
