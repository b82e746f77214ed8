"""Keys under which equal texts meet, whatever their white space and case."""

from collections.abc import Iterable

from biobert.core.document import Document
from biobert.text.sentences import sentences_of


def text_key(text: str) -> str:
    """The key of a text."""
    return " ".join(text.split()).lower()


def keys_of(documents: Iterable[Document]) -> set[str]:
    """The keys of some documents, and of each of their sentences."""
    keys: set[str] = set()
    for document in documents:
        keys.add(text_key(document.text))
        keys.update(text_key(document.text[one.start : one.end]) for one in sentences_of(document))
    return keys
