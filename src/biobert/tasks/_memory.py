"""What was worked out for a document, kept while the same document may come again."""

from collections.abc import Callable
from typing import Generic, TypeVar

from biobert.core.document import Document

V = TypeVar("V")


class Remembered(Generic[V]):
    """Values by document, the same object and not an equal one; a full memory starts anew.

    A bootstrap scores the same documents hundreds of times.
    """

    def __init__(self, work_out: Callable[[Document], V], size: int) -> None:
        self._work_out = work_out
        self._size = size
        # The document stands beside its value: while it does, no other gets its number.
        self._known: dict[int, tuple[Document, V]] = {}

    def __getitem__(self, document: Document) -> V:
        """The value, worked out the first time."""
        found = self._known.get(id(document))
        if found is not None:
            return found[1]
        value = self._work_out(document)
        if len(self._known) >= self._size:
            self._known.clear()
        self._known[id(document)] = document, value
        return value
