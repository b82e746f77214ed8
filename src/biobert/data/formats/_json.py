"""One JSON value of a whole file, for the formats that are no lines."""

import json
from pathlib import Path
from typing import Any

from biobert.core.errors import BadInputError
from biobert.core.files import open_text

LARGEST_FILE = 500_000_000


def json_object(path: Path | str) -> dict[str, Any]:
    """The JSON object that a file is; an error says what is wrong where it is none."""
    name = Path(path).name
    with open_text(path) as stream:
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


def json_list(path: Path | str, key: str) -> list[Any]:
    """The list under `key` of a file's JSON object; an error says what is there instead."""
    found = json_object(path).get(key)
    if not isinstance(found, list):
        raise BadInputError(
            f"{Path(path).name}: no list {key!r} in its JSON; is it of another format?"
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
