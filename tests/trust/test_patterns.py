"""Hostile text costs linear time, by construction: a pattern reads a bounded stretch of it.

An unbounded repeat may only be the last thing of a pattern, where there is nothing behind it that
could fail and make it try again.
"""

import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from biobert import trust
from biobert.trust.finding import find_identifiers

LONGEST_STRETCH = 1000
REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)


def patterns() -> dict[str, re.Pattern[str]]:
    """Every compiled pattern of the room by its module and name, those in tuples too."""
    found = {}
    for module in walk_packages(trust.__path__, f"{trust.__name__}."):
        for name, value in vars(import_module(module.name)).items():
            for number, one in enumerate(value if isinstance(value, tuple) else (value,)):
                if isinstance(one, re.Pattern):
                    found[f"{module.name}.{name}.{number}"] = one
    return found


def inner(value: Any) -> Iterator[Any]:
    """The patterns inside what the parser gives."""
    if isinstance(value, _parser.SubPattern):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from inner(one)


def endless(parsed: Any, *, is_tail: bool) -> Iterator[str]:
    """Unbounded repeats that are not the last thing of the pattern."""
    for number, (kind, value) in enumerate(parsed):
        is_last = is_tail and number == len(parsed) - 1
        if kind in REPEATS and value[1] is _constants.MAXREPEAT and not is_last:
            yield str(value)
        comes_again = kind in REPEATS and value[1] != 1
        for one in inner(value):
            yield from endless(one, is_tail=is_last and not comes_again)


@pytest.mark.parametrize("name", patterns())
def test_no_pattern_can_read_on_and_on(name: str) -> None:
    pattern = patterns()[name]
    parsed = _parser.parse(pattern.pattern, pattern.flags)
    assert not list(endless(parsed, is_tail=True))
    ends_openly = any(
        kind in REPEATS and value[1] is _constants.MAXREPEAT for kind, value in walked(parsed)
    )
    assert ends_openly or parsed.getwidth()[1] <= LONGEST_STRETCH


def walked(parsed: Any) -> Iterator[tuple[Any, Any]]:
    for kind, value in parsed:
        yield kind, value
        for one in inner(value):
            yield from walked(one)


def test_the_check_sees_what_it_should() -> None:
    def found(pattern: str) -> list[str]:
        return list(endless(_parser.parse(pattern), is_tail=True))

    assert found(r"a+b")
    assert found(r"(?:a+)+")
    assert found(r"(?:x|a*b)c")
    assert not found(r"https?://[^\s]+")
    assert not found(r"a{1,9}b(?:/\S*)?")


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "1",
        "@",
        ".",
        "A. ",
        "Dr. ",
        "1-",
        "a@a.",
        "1/1/",
        "Mr. A",
        "MRN ",
        "MRN: ",
        "A" * 30 + "-",
        "no. ",
        "12 Main ",
        "St. ",
        "::",
        "and ",
        "x.jpg",
        "(01)",
        "\n",
        "İ",
        "Xa ",
        "of the ",
    ],
)
def test_hostile_lines_are_read_to_their_end(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    found = find_identifiers(text + " Mrs. Sullivan")
    assert found[-1].end == len(text) + len(" Mrs. Sullivan")
