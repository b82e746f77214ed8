"""Arguments of a program that are of another kind than is wanted: errors that name the cure."""

from collections.abc import Iterable
from typing import Any

from biobert.core.errors import BadInputError

LONGEST_SHOWN = 60


def check_kind(name: str, value: Any, kind: type, cure: str) -> None:
    """An error where the argument `name` is not of a kind; `cure` is what to write instead."""
    if not isinstance(value, kind):
        raise BadInputError(f"{name}={shown(value)} is no {kind.__name__}; write {cure}")


def check_list(name: str, values: Iterable[str] | None) -> None:
    """An error where a string stands for a list of strings: it would be taken letter by letter."""
    if isinstance(values, str):
        wanted = [one.strip() for one in values.split(",")]
        raise BadInputError(f"{name}={shown(values)} is a string, not a list; write {wanted!r}")


def shown(value: Any) -> str:
    """The value as Python writes it, cut where it is long."""
    written = repr(value)
    return written if len(written) <= LONGEST_SHOWN else f"{written[:LONGEST_SHOWN]}..."
