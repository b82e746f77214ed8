"""One JSON value of a whole file, for the formats that are no lines."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from biobert.core.arguments import shown
from biobert.core.errors import BadInputError
from biobert.core.files import open_text, shown_name
from biobert.data.rejects import Rejects

LARGEST_FILE = 500_000_000
# A string without an end goes to the end of the text, so that time stays linear.
TOKEN = re.compile(r'"(?P<key>(?:[^"\\]|\\.)*+)(?:"(?P<colon>\s*+:)?|\\?\Z)|[{}\[\]]', re.DOTALL)
BAD_LINE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
    BadInputError,
)
"""What reading a line raises that holds another JSON value than is wanted."""


def json_object(path: Path | str, rejects: Rejects) -> dict[str, Any]:
    """The JSON object that a file is; an error says what is wrong where it is none."""
    name = shown_name(path)
    with open_text(path, rejects.lost_in(path)) as stream:
        text = stream.read(LARGEST_FILE + 1)
    if len(text) > LARGEST_FILE:
        raise BadInputError(f"{name}: more than {LARGEST_FILE} characters in one JSON value")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise BadInputError(f"{name}: not valid JSON: {problem}") from None
    if not isinstance(values, dict):
        raise BadInputError(f"{name}: not a JSON object; is it of another format?")
    return values


def json_list(path: Path | str, key: str, rejects: Rejects) -> list[Any]:
    """The list under `key` of a file's JSON object; an error says what is there instead."""
    found = json_object(path, rejects).get(key)
    if not isinstance(found, list):
        raise BadInputError(
            f"{shown_name(path)}: no list {key!r} in its JSON; is it of another format?"
        )
    return found


def text_of(value: Any, what: str) -> str:
    """A string that can be written again; an error names `what` was none."""
    if not isinstance(value, str):
        raise BadInputError(f"{what} is not a string")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BadInputError(f"{what} holds half of a surrogate pair") from None
    return value


def list_of(value: Any, what: str) -> Sequence[Any]:
    """A list, empty where there is none; a string in its place would be taken letter by letter."""
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise BadInputError(f"{what} is {shown(value)}, not a list")
    return value


def texts_of(value: Any, what: str) -> list[str]:
    """A list of strings that can be written again, empty where there is none."""
    return [text_of(one, f"one of {what}") for one in list_of(value, what)]


def may_hold_half(text: str) -> bool:
    """Whether JSON may hold half of a surrogate pair: so it writes other characters, too."""
    return "\\ud" in text or "\\uD" in text


def json_line(line: str) -> Any:
    """The value of a line, whose strings can be written again."""
    value = json.loads(line)
    if may_hold_half(line):
        text_of(json.dumps(value, ensure_ascii=False), "one of its strings")
    return value


def strings_of(values: Mapping[str, Any]) -> dict[str, str]:
    """All values as strings: others write numbers and lists too, such as `"pmid": 12345678`."""
    return {
        str(key): one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)
        for key, one in values.items()
        if one is not None
    }


def keys_of(text: str) -> set[str]:
    """The keys of the JSON object that a text begins with, or the first of a list, as far as it
    goes; none where the text is no JSON."""
    begins = text.removeprefix("[").lstrip()
    return set(_keys(begins)) if begins.startswith("{") else set()


def _keys(text: str) -> Iterator[str]:
    depth = 0
    for token in TOKEN.finditer(text):
        if token["colon"] and depth == 1:
            yield token["key"]
        elif token[0] in "{[":
            depth += 1
        elif token[0] in "}]":
            depth -= 1
            if not depth:
                return
