"""Passages of some kinds: where they stand in a document, and documents made of two."""

from biobert.core.document import Document, Passage, Span
from biobert.core.errors import BadInputError

HEADING = "heading"
"""The kind of passage that may stand between the sections of a text."""


def passage_of(document: Document, kind: str) -> Span:
    """Where the document's passages of that kind stand, from the first to the last.

    Sections of an abstract are several passages in a row, with headings between them. An error
    where there is none with text, or where a passage of another kind stands between.
    """
    found = [one for one in document.passages if one.kind == kind and one.end > one.start]
    if not found:
        kinds = ", ".join(dict.fromkeys(one.kind for one in document.passages)) or "none"
        raise BadInputError(
            f"document {document.id!r} needs a passage {kind!r} with text (its passages: {kinds})"
        )
    span = Span(min(one.start for one in found), max(one.end for one in found))
    for other in document.passages:
        inside = other.start < span.end and other.end > span.start and other.end > other.start
        if inside and other.kind not in (kind, HEADING):
            raise BadInputError(
                f"document {document.id!r}: a passage {other.kind!r} stands between its passages "
                f"{kind!r}; give it one stretch of {kind!r}"
            )
    return span


def pair_document(
    name: str, first: str, second: str, kinds: tuple[str, str] = ("first", "second")
) -> Document:
    """Two texts as one document, a line each, which are its passages of these kinds.

    Of a question beside its context the kinds are `question` and `context`.
    """
    text = f"{first}\n{second}"
    own, other = kinds
    passages = (Passage(0, len(first), own), Passage(len(first) + 1, len(text), other))
    return Document(name, text, passages=passages)
