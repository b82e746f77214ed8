"""What of a document is searched: its text, its headings, kinds and labels, and its metadata."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from biobert.core.document import Document, Span

TEXT = "text"
"""The path of the document's own text."""
JSON_SIGN = re.compile(r'\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])|[\[\]{}"]')
WHITE_SPACE = {r"\n": " \n", r"\t": " \t"}
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
        would part what names a value from it, and so are its escapes: the n of a line's end would
        be glued to the word behind it."""
        if not self.is_json:
            return self.lead + self.value
        return self.lead + JSON_SIGN.sub(_as_space, self.value)

    @property
    def is_json(self) -> bool:
        """Whether it holds a list or an object."""
        return self.lead != "" and self.value[0] in "[{"

    def without_signs(self, start: int, end: int) -> Iterator[Span]:
        """What of a stretch of the value may be replaced: of JSON neither signs nor escapes."""
        if not self.is_json:
            yield Span(start, end)
            return
        for sign in JSON_SIGN.finditer(self.value):
            if start < sign.end() and sign.start() < end:
                yield from _stripped(self.value, start, sign.start())
                start = sign.end()
        yield from _stripped(self.value, start, end)

    def written(self, place: int, surrogate: str) -> str:
        """The surrogate as it stands there: in quotes where it takes the place of a number of
        JSON."""
        signs = JSON_SIGN.finditer(self.value, 0, place) if self.is_json else ()
        is_in_string = sum(one[0] == '"' for one in signs) % 2 == 1
        if not self.is_json or is_in_string or not _can_be_read(self.value):
            return surrogate
        return json.dumps(surrogate, ensure_ascii=False)


def fields_of(document: Document) -> Iterator[Field]:
    """The text, then all that stands beside it and holds something."""
    yield Field(TEXT, document.text)
    yield from _of_metadata("metadata", document.metadata)
    for path, label in _labels_of(document).items():
        yield Field(path, label)
    for number, passage in enumerate(document.passages):
        for name in ("kind", "heading"):
            if value := getattr(passage, name):
                yield Field(f"passages.{number}.{name}", value)
        yield from _of_metadata(f"passages.{number}.metadata", passage.metadata)


def _as_space(sign: re.Match[str]) -> str:
    return WHITE_SPACE.get(sign[0], " " * len(sign[0]))


def _can_be_read(value: str) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


def _stripped(text: str, start: int, end: int) -> Iterator[Span]:
    """The stretch without white space around it; none where no letter or digit is in it."""
    words = text[start:end].strip()
    if any(map(str.isalnum, words)):
        start = text.index(words, start)
        yield Span(start, start + len(words))


def with_values(document: Document, values: Mapping[str, str]) -> Document:
    """The document with other values beside its text, by their paths."""

    def renewed(path: str, metadata: Mapping[str, str]) -> dict[str, str]:
        return {name: values.get(f"{path}.{name}", value) for name, value in metadata.items()}

    passages = tuple(
        replace(
            one,
            kind=values.get(f"passages.{number}.kind", one.kind),
            heading=values.get(f"passages.{number}.heading", one.heading),
            metadata=renewed(f"passages.{number}.metadata", one.metadata),
        )
        for number, one in enumerate(document.passages)
    )
    labels = {label: values.get(path, label) for path, label in _labels_of(document).items()}
    return replace(
        document,
        passages=passages,
        labels=tuple(labels[one] for one in document.labels),
        label_scores={labels[one]: score for one, score in document.label_scores.items()},
        metadata=renewed("metadata", document.metadata),
    )


def _labels_of(document: Document) -> dict[str, str]:
    """The labels of a document by their paths, those that were only weighed too."""
    names = dict.fromkeys((*document.labels, *document.label_scores))
    return {f"labels.{number}": name for number, name in enumerate(names) if name}


def _of_metadata(path: str, metadata: Mapping[str, Any]) -> Iterator[Field]:
    for name, value in metadata.items():
        # JSON lines may hold numbers and lists here.
        is_text = isinstance(value, str)
        text = value if is_text else json.dumps(value, ensure_ascii=False, default=str)
        if text:
            yield Field(f"{path}.{name}", text, f"{BETWEEN_WORDS.sub(' ', name)}: ")
