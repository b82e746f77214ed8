"""Pairs of texts as the documents that the tasks on pairs read."""

from collections.abc import Sequence

from biobert.core.document import Document
from biobert.core.passages import pair_document


def documents_of_pairs(pairs: Sequence[Sequence[str]], kinds: Sequence[str]) -> list[Document]:
    """A document for each pair, its two passages of these kinds."""
    own, other = kinds
    return [
        pair_document(str(number), first, second, (own, other))
        for number, (first, second) in enumerate(pairs, start=1)
    ]
