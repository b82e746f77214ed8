"""What the tests of identifiers share."""

from biobert.trust.finding import find_identifiers


def found(text: str) -> list[tuple[str, str]]:
    """The kind and the words of each identifier of a text."""
    return [(one.kind, text[one.start : one.end]) for one in find_identifiers(text)]
