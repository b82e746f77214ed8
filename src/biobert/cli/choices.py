"""Options that take some values only: others are a wrong call."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from biobert.core.errors import BadInputError


def choice(option: str, value: str | None, known: tuple[str, ...]) -> Any:
    """The word, if it is one of those known; None stays."""
    if value is not None and value not in known:
        raise BadInputError(f"{option} {value}: one of {', '.join(known)}", code="usage")
    return value


def need_option(needed: str, why: str, given: Mapping[str, object]) -> None:
    """An error where one of the options in `given` has a value without the one that it needs."""
    for option, value in given.items():
        if value is not None:
            raise BadInputError(f"{option} needs {needed}: {why}", code="usage")


@contextmanager
def of_options() -> Iterator[None]:
    """For settings that are made of options: what is wrong with them is wrong with the call."""
    try:
        yield
    except BadInputError as problem:
        raise BadInputError(str(problem), code="usage") from None
