"""Documents that say the same: exactly, or nearly (MinHash)."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np
import numpy.typing as npt

from biobert.core.errors import BadInputError

Signature = npt.NDArray[np.uint32]
PRIME = np.uint64(0x9E3779B97F4A7C15)
FINGERPRINT_BYTES = 16
BLOCK_TOKENS = 1 << 17
BLOCK_SIGNATURES = 1 << 10


@dataclass(frozen=True, slots=True)
class DuplicateSettings:
    """Runs of `shingle` tokens, `bands` x `rows` hashes; nearer than `similarity` is a duplicate.

    `near = "none"` compares whole documents alone.
    """

    near: Literal["minhash", "none"] = "minhash"
    shingle: int = 5
    bands: int = 16
    rows: int = 4
    similarity: float = 0.8
    seed: int = 1

    def __post_init__(self) -> None:
        if min(self.shingle, self.bands, self.rows) < 1:
            raise BadInputError(
                f"duplicates: shingle {self.shingle}, bands {self.bands}, rows {self.rows}: "
                "each must be at least 1",
                code="usage",
            )


def fingerprint(parts: Iterable[str]) -> bytes:
    """Sixteen bytes that only the same text shares, however it is parted and whatever its case."""
    digest = blake2b(digest_size=FINGERPRINT_BYTES)
    for part in parts:
        digest.update(part.lower().encode(errors="replace"))
    return digest.digest()


class MinHash:
    """Broder 1997: the share of equal minima estimates the Jaccard similarity of shingle sets."""

    def __init__(self, settings: DuplicateSettings) -> None:
        generator = np.random.default_rng(settings.seed)
        count = settings.bands * settings.rows
        self.shingle = settings.shingle
        self._factors = generator.integers(1, 1 << 62, size=count, dtype=np.uint64) * 2 + 1
        self._terms = generator.integers(0, 1 << 62, size=count, dtype=np.uint64)

    def signature(self, token_ids: npt.NDArray[np.unsignedinteger]) -> Signature:
        """(bands x rows,) minima over the document's shingles."""
        minima = np.full(len(self._factors), np.iinfo(np.uint32).max, dtype=np.uint32)
        last = max(1, len(token_ids) - self.shingle + 1)
        # In blocks, so that a book takes no more memory than a chapter.
        for start in range(0, last, BLOCK_TOKENS):
            end = min(start + BLOCK_TOKENS, last) + self.shingle - 1
            hashes = self._shingles(token_ids[start:end])
            for number, (factor, term) in enumerate(zip(self._factors, self._terms, strict=True)):
                lowest = (hashes * factor + term).min() >> np.uint64(32)
                minima[number] = min(minima[number], lowest)
        return minima

    def _shingles(self, token_ids: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[np.uint64]:
        ids = token_ids.astype(np.uint64)
        width = min(self.shingle, len(ids))
        hashes = np.zeros(len(ids) - width + 1, dtype=np.uint64)
        for place in range(width):
            hashes = (hashes ^ ids[place : place + len(hashes)]) * PRIME
            hashes ^= hashes >> np.uint64(29)
        return hashes


class _FirstPlaces:
    """From 64-bit keys to the first place given with each: an open hash table of two arrays.

    A key takes 18 to 36 bytes, where a dict takes 90.
    """

    def __init__(self, slots: int = 1 << 10) -> None:
        self._keys = array("Q", [0]) * slots
        # Each one more than the place: 0 is a free slot.
        self._places = array("I", [0]) * slots
        self._count = 0

    def get(self, key: int) -> int | None:
        """The place of a key, or None."""
        place = self._places[self._slot(key)]
        return place - 1 if place else None

    def keep_first(self, key: int, place: int) -> None:
        """Give a key its place, unless it has one."""
        slot = self._slot(key)
        if self._places[slot]:
            return
        self._keys[slot], self._places[slot] = key, place + 1
        self._count += 1
        if 3 * self._count > 2 * len(self._keys):
            self._double()

    def _slot(self, key: int) -> int:
        """Where the key is, or the free slot where it would be."""
        mask = len(self._keys) - 1
        slot = key & mask
        while self._places[slot] and self._keys[slot] != key:
            slot = (slot + 1) & mask
        return slot

    def _double(self) -> None:
        wider = _FirstPlaces(2 * len(self._keys))
        for key, place in zip(self._keys, self._places, strict=True):
            if place:
                wider.keep_first(key, place - 1)
        self._keys, self._places = wider._keys, wider._places


class DuplicateIndex:
    """Remembers the documents it was shown, each in about 0.8 KB."""

    def __init__(self, settings: DuplicateSettings) -> None:
        self.settings = settings
        self._exact: set[bytes] = set()
        self._signatures: list[npt.NDArray[np.uint32]] = []  # in blocks, as an array costs 0.1 KB
        self._count = 0
        self._bands = _FirstPlaces()

    def seen(self, mark: bytes, signature: Signature | None) -> Literal["exact", "near"] | None:
        """How the document repeats an earlier one; one that does not is remembered."""
        if mark in self._exact:
            return "exact"
        if signature is not None and self._has_near(signature):
            return "near"
        self.add(mark, signature)
        return None

    def add(self, mark: bytes, signature: Signature | None) -> None:
        """Remember a document."""
        self._exact.add(mark)
        if signature is None:
            return
        block, row = divmod(self._count, BLOCK_SIGNATURES)
        if row == 0:
            self._signatures.append(np.empty((BLOCK_SIGNATURES, len(signature)), dtype=np.uint32))
        self._signatures[block][row] = signature
        for key in self._keys(signature):
            self._bands.keep_first(key, self._count)
        self._count += 1

    def _has_near(self, signature: Signature) -> bool:
        found = {self._bands.get(key) for key in self._keys(signature)}
        similarities = (self._similarity(one, signature) for one in found if one is not None)
        return any(one >= self.settings.similarity for one in similarities)

    def _similarity(self, place: int, signature: Signature) -> float:
        block, row = divmod(place, BLOCK_SIGNATURES)
        return float((self._signatures[block][row] == signature).mean())

    def _keys(self, signature: Signature) -> list[int]:
        """A 64-bit hash of each band, the band's number mixed in."""
        keys = np.arange(self.settings.bands, dtype=np.uint64)
        for column in signature.reshape(self.settings.bands, -1).T:
            keys = (keys ^ column) * PRIME
            keys ^= keys >> np.uint64(29)
        found: list[int] = keys.tolist()
        return found
