"""What of a document is searched: its text, its headings and its metadata."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from biobert.core.document import Document

TEXT = "text"
"""The path of the document's own text."""
JSON_SIGNS = str.maketrans(dict.fromkeys('[]{}"', " "))
BETWEEN_WORDS = re.compile(r"[_-]|(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Field:
    """A piece of text by its path in the document, such as `passages.0.heading`.

    `lead` goes before the value of metadata and says what it is: `mrn: `.
    """

    path: str
    value: str
    lead: str = ""

    @property
    def searched(self) -> str:
        """The value behind its lead; in lists and objects the signs of JSON are spaces, or they
        would part what names a value from it."""
        is_json = self.lead and self.value[0] in "[{"
        return self.lead + (self.value.translate(JSON_SIGNS) if is_json else self.value)


def fields_of(document: Document) -> Iterator[Field]:
    """The text, then all headings and metadata that hold something."""
    yield Field(TEXT, document.text)
    yield from _of_metadata("metadata", document.metadata)
    for number, passage in enumerate(document.passages):
        if passage.heading:
            yield Field(f"passages.{number}.heading", passage.heading)
        yield from _of_metadata(f"passages.{number}.metadata", passage.metadata)


def with_values(document: Document, values: Mapping[str, str]) -> Document:
    """The document with other headings and metadata, by their paths."""

    def renewed(path: str, metadata: Mapping[str, str]) -> dict[str, str]:
        return {name: values.get(f"{path}.{name}", value) for name, value in metadata.items()}

    passages = tuple(
        replace(
            one,
            heading=values.get(f"passages.{number}.heading", one.heading),
            metadata=renewed(f"passages.{number}.metadata", one.metadata),
        )
        for number, one in enumerate(document.passages)
    )
    return replace(document, passages=passages, metadata=renewed("metadata", document.metadata))


def _of_metadata(path: str, metadata: Mapping[str, Any]) -> Iterator[Field]:
    for name, value in metadata.items():
        # JSON lines may hold numbers and lists here.
        is_text = isinstance(value, str)
        text = value if is_text else json.dumps(value, ensure_ascii=False, default=str)
        if text:
            yield Field(f"{path}.{name}", text, f"{BETWEEN_WORDS.sub(' ', name)}: ")
