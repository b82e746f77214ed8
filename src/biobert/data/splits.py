"""Splits that are no file of their own: documents picked out of a file that holds several."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

from biobert.core.document import Document
from biobert.core.errors import BadInputError

SPLIT = "split"
"""The key of a document's metadata that says which split of its corpus it belongs to."""
DIGEST_BYTES = 8


def documents_of(
    documents: Iterable[Document], *, parts: Sequence[str] = (), share: Sequence[float] = ()
) -> Iterator[Document]:
    """The documents of these parts whose place by chance lies in the share; all without either."""
    low, high = _borders(share)
    for document in documents:
        if parts and document.metadata.get(SPLIT) not in parts:
            continue
        if low <= place_by_chance(document.id) < high:
            yield document


def place_by_chance(identifier: str) -> float:
    """A number from 0 up to 1 that an identifier always gets, as if drawn by chance.

    It is the first eight bytes of the BLAKE2b digest of the identifier, as a fraction: a document
    stays in its split whatever comes before or after it in a file.
    """
    digest = blake2b(identifier.encode(errors="replace"), digest_size=DIGEST_BYTES).digest()
    return int.from_bytes(digest, "big") / float(2 ** (8 * DIGEST_BYTES))


def _borders(share: Sequence[float]) -> tuple[float, float]:
    if not share:
        return 0.0, 1.0
    if len(share) != 2 or not 0.0 <= share[0] < share[1] <= 1.0:
        raise BadInputError(f"share = {list(share)}: two rising numbers from 0 to 1")
    return share[0], share[1]
