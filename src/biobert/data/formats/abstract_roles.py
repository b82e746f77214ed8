"""Abstracts whose sentences carry the role of their section: background, methods, and so on.

Read from PubMed XML or JATS, archives too. A document is an abstract without title and headings.
Each sentence is an entity labelled with the role that the heading of its section tells, as in
PubMed RCT (Dernoncourt and Lee 2017, arXiv:1710.06071); where that is none or two, it has no label.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from biobert.core.document import Document, Entity, Provenance
from biobert.core.files import shown_name
from biobert.data.formats._abstracts import ROLES, Abstract, abstracts_in_sections, role_of
from biobert.data.formats._passages import joined
from biobert.data.rejects import Rejects
from biobert.text.sentences import split_sentences

ENDINGS: tuple[str, ...] = ()


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """The abstracts in file order."""
    yield from read_together(Path(path), {}, rejects)


def read_together(path: Path, beside: Mapping[str, Path], rejects: Rejects) -> Iterator[Document]:
    """The same; `test-articles` and the like are lists that put a split into the metadata."""
    for abstract in abstracts_in_sections(path, beside, rejects):
        yield _document(abstract, shown_name(path))


def _document(abstract: Abstract, source: str) -> Document:
    text, passages = joined(abstract.sections)
    sentences, entities = [], []
    for section in passages:
        role = role_of(section.heading)
        for sentence in split_sentences(text, section.start, section.end):
            sentences.append(sentence)
            if role is not None:
                entities.append(Entity(sentence.start, sentence.end, role))
    return Document(
        id=abstract.document.id,
        text=text,
        # Without the headings, which tell the answers.
        passages=tuple(replace(one, heading="") for one in passages),
        entities=tuple(entities),
        sentences=tuple(sentences),
        annotated_labels=ROLES,
        provenance=Provenance(source=source),
        metadata=abstract.metadata,
    )
