"""Documents that say the same: exactly, or nearly (MinHash)."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from biobert.core.errors import BadInputError
from biobert.data.first_places import FirstPlaces, zeros

Signature = npt.NDArray[np.uint32]
PRIME = np.uint64(0x9E3779B97F4A7C15)
FINGERPRINT_BYTES = 16
BLOCK_TOKENS = 1 << 17
FIRST_BLOCK = 1 << 10
"""Signatures in the first block."""


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


class DuplicateIndex:
    """Remembers the documents it was shown, each in about 0.8 KB: beyond some megabytes, files of
    `folder` without a name hold them, of which the system keeps in memory what there is room for.

    Whole documents are told apart by eight bytes of their fingerprints: among all of PubMed, one
    that is new is taken for another with a chance below one in ten thousand.
    """

    def __init__(self, settings: DuplicateSettings, folder: Path) -> None:
        self.settings = settings
        self._folder = folder
        self._exact = FirstPlaces(folder)
        self._signatures = _Signatures(settings.bands * settings.rows, folder)
        self._bands = FirstPlaces(folder)

    def seen(self, mark: bytes, signature: Signature | None) -> Literal["exact", "near"] | None:
        """How the document repeats an earlier one; one that does not is remembered."""
        if self._exact.get(_key(mark)) is not None:
            return "exact"
        if signature is not None and self._has_near(signature):
            return "near"
        self.add(mark, signature)
        return None

    def add(self, mark: bytes, signature: Signature | None) -> None:
        """Remember a document."""
        place = len(self._signatures)
        self._exact.keep_first(_key(mark), place)
        if signature is None:
            return
        self._signatures.append(signature)
        for key in self._keys(signature):
            self._bands.keep_first(key, place)

    def _has_near(self, signature: Signature) -> bool:
        found = {self._bands.get(key) for key in self._keys(signature)}
        similarities = (
            float((self._signatures[one] == signature).mean()) for one in found if one is not None
        )
        return any(one >= self.settings.similarity for one in similarities)

    def _keys(self, signature: Signature) -> list[int]:
        """A 64-bit hash of each band, the band's number mixed in."""
        keys = np.arange(self.settings.bands, dtype=np.uint64)
        for column in signature.reshape(self.settings.bands, -1).T:
            keys = (keys ^ column) * PRIME
            keys ^= keys >> np.uint64(29)
        found: list[int] = keys.tolist()
        return found


class _Signatures:
    """Signatures by place, in blocks of which each has twice the room of the one before."""

    def __init__(self, width: int, folder: Path) -> None:
        self._width, self._folder = width, folder
        self._blocks: list[npt.NDArray[np.uint32]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: int) -> Signature:
        block, row = _block_of(place)
        signature: Signature = self._blocks[block][row]
        return signature

    def append(self, signature: Signature) -> None:
        block, row = _block_of(self._count)
        if row == 0:
            room = zeros("I", (FIRST_BLOCK << block) * self._width, self._folder)
            self._blocks.append(np.frombuffer(room, dtype=np.uint32).reshape(-1, self._width))
        self._blocks[block][row] = signature
        self._count += 1


def _block_of(place: int) -> tuple[int, int]:
    """The block of a place, and the row in it."""
    block = (place // FIRST_BLOCK + 1).bit_length() - 1
    return block, place - ((1 << block) - 1) * FIRST_BLOCK


def _key(mark: bytes) -> int:
    return int.from_bytes(mark[:8], "little")
