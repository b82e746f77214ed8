"""Files in, vectors out: one for each line, document or sentence."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import tee
from typing import Literal

from biobert.core.files import STANDARD_STREAM, shown_name
from biobert.data.lines import lines_of
from biobert.data.reading import format_of_input, read_documents
from biobert.data.rejects import Rejects
from biobert.data.vectors import NamedVector
from biobert.pipeline.embedder import Embedder
from biobert.text.sentences import sentences_of

PLAIN = "text"
Unit = Literal["line", "document", "sentence"]


@dataclass(frozen=True, slots=True)
class NamedText:
    """A text and its name: `notes.txt:12`, a document's identifier, or that and `[start:end]`."""

    id: str
    text: str


def texts_of(
    inputs: Sequence[str], unit: Unit | None, rejects: Rejects, *, source_format: str | None = None
) -> Iterator[NamedText]:
    """The texts of some files, in order; `source_format` overrules what the endings say.

    Without a `unit` they are the lines of plain text, and the documents of any other format.
    """
    for path in inputs:
        format = source_format or format_of_input(path)
        if unit == "line" or (unit is None and format == PLAIN):
            yield from _lines(path, rejects)
            continue
        for document in read_documents(path, format, rejects):
            if unit != "sentence":
                yield NamedText(document.id, document.text)
                continue
            for one in sentences_of(document):
                name = f"{document.id}[{one.start}:{one.end}]"
                yield NamedText(name, document.text[one.start : one.end])


def embedded(texts: Iterable[NamedText], embedder: Embedder) -> Iterator[NamedVector]:
    """The vector of each text under its name, in order."""
    named, plain = tee(texts)
    vectors = embedder.embed_many(one.text for one in plain)
    for one, vector in zip(named, vectors, strict=True):
        yield NamedVector(one.id, vector)


def _lines(path: str, rejects: Rejects) -> Iterator[NamedText]:
    name = "stdin" if path == STANDARD_STREAM else shown_name(path)
    for number, line in lines_of(path, rejects):
        yield NamedText(f"{name}:{number}", line.rstrip("\r\n"))
