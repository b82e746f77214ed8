"""PubMed RCT as whole abstracts, whose sentences are entities labelled with their roles."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from biobert.core.document import Document, Entity, Provenance, Span
from biobert.core.files import shown_name
from biobert.data.formats import pubmed_rct
from biobert.data.rejects import Rejects

ENDINGS: tuple[str, ...] = ()


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """The abstracts in file order, one sentence a line; a line that is none is set aside."""
    sentences = pubmed_rct.read(path, rejects)
    for number, own in groupby(sentences, key=lambda one: one.metadata["pmid"]):
        yield _document(number, list(own), shown_name(path))


def _document(number: str, sentences: Sequence[Document], source: str) -> Document:
    entities = []
    start = 0
    for one in sentences:
        entities.append(Entity(start, start + len(one.text), one.labels[0]))
        start += len(one.text) + 1
    return Document(
        id=number,
        text="\n".join(one.text for one in sentences),
        entities=tuple(entities),
        sentences=tuple(Span(one.start, one.end) for one in entities),
        provenance=Provenance(source=source),
        metadata={"pmid": number},
    )
