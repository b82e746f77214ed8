"""Abstracts without their conclusions, which stand apart: texts to learn to conclude from.

Read from PubMed XML or JATS, archives too. A document is the title and the sections of an abstract
but for the conclusions; these are in its metadata as `conclusion`, where no model reads them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from biobert.core.document import Document, Provenance
from biobert.core.files import shown_name
from biobert.data.formats._abstracts import CONCLUSIONS, Abstract, abstracts_in_sections, role_of
from biobert.data.formats._passages import Part, joined
from biobert.data.rejects import Rejects

ENDINGS: tuple[str, ...] = ()
CONCLUSION = "conclusion"


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """The abstracts that have conclusions in a section of their own, and something beside."""
    yield from read_together(Path(path), {}, rejects)


def read_together(path: Path, beside: Mapping[str, Path], rejects: Rejects) -> Iterator[Document]:
    """The same; `test-articles` and the like are lists that put a split into the metadata."""
    for abstract in abstracts_in_sections(path, beside, rejects):
        concluding = [one for one in abstract.sections if role_of(one.heading) == CONCLUSIONS]
        leading = [one for one in abstract.sections if one not in concluding]
        conclusion = " ".join(one.text for one in concluding)
        if conclusion and leading:
            yield _document(abstract, leading, conclusion, shown_name(path))
        else:
            what = "no conclusions" if leading else "nothing but conclusions"
            rejects.add(path, abstract.document.id, f"{what}: by the headings of its abstract")


def _document(abstract: Abstract, leading: list[Part], conclusion: str, source: str) -> Document:
    whole = abstract.document
    title = [
        Part("title", whole.text[one.start : one.end])
        for one in whole.passages
        if one.kind == "title"
    ]
    text, passages = joined([*title, *leading])
    return Document(
        id=whole.id,
        text=text,
        passages=passages,
        provenance=Provenance(source=source),
        metadata={**abstract.metadata, CONCLUSION: conclusion},
    )
