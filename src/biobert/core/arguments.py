"""Arguments of a program that are of another kind than is wanted: errors that name the cure."""

from collections.abc import Iterable
from types import UnionType
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


def check_many(
    name: str, values: Any, kinds: type | UnionType, *, single: str | None = None
) -> None:
    """An error where one thing of these kinds stands for many; `single` takes one, if anything."""
    if isinstance(values, kinds):
        what = f"{name}={shown(values)} is one {type(values).__name__}, not a list"
        other = f", or use {single}" if single else ""
        raise BadInputError(f"{what}; write [{shown(values)}]{other}")


def shown(value: Any) -> str:
    """The value as Python writes it, cut where it is long."""
    written = repr(value)
    return written if len(written) <= LONGEST_SHOWN else f"{written[:LONGEST_SHOWN]}..."
