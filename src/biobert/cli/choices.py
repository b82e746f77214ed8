"""Options that take one of a few words."""

from typing import Any

from biobert.core.errors import BadInputError


def choice(option: str, value: str | None, known: tuple[str, ...]) -> Any:
    """The word, if it is one of those known; None stays."""
    if value is not None and value not in known:
        raise BadInputError(f"{option} {value}: one of {', '.join(known)}", code="usage")
    return value
