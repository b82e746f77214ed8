"""Pairs of texts as the documents that the tasks on pairs read."""

from collections.abc import Sequence

from biobert.core.document import Document, Passage


def documents_of_pairs(pairs: Sequence[Sequence[str]], kinds: Sequence[str]) -> list[Document]:
    """A document for each pair, its two passages of these kinds."""
    first_kind, second_kind = kinds
    documents = []
    for number, (first, second) in enumerate(pairs, start=1):
        start = len(first) + 1
        passages = (
            Passage(0, len(first), first_kind),
            Passage(start, start + len(second), second_kind),
        )
        documents.append(Document(str(number), f"{first}\n{second}", passages=passages))
    return documents
