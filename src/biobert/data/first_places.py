"""A table of keys that needs no more memory than there is: beyond a megabyte it lies in a file."""

import os
from array import array
from mmap import mmap
from pathlib import Path
from struct import calcsize
from tempfile import TemporaryFile
from typing import Literal, TypeAlias

from biobert.core.files import unwritten

SMALL = 1 << 20
"""Bytes up to which an array stays in memory."""
Numbers: TypeAlias = "array[int] | memoryview[int]"


class FirstPlaces:
    """From 64-bit keys to the first place given with each: an open hash table of two arrays.

    A key takes 18 to 36 bytes, where a dict takes 90.
    """

    def __init__(self, folder: Path, slots: int = 1 << 10) -> None:
        self._folder = folder
        self._keys = zeros("Q", slots, folder)
        # Each one more than the place: 0 is a free slot.
        self._places = zeros("I", slots, folder)
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
        wider = FirstPlaces(self._folder, 2 * len(self._keys))
        for key, place in zip(self._keys, self._places, strict=True):
            if place:
                wider.keep_first(key, place - 1)
        self._keys, self._places = wider._keys, wider._places


def zeros(kind: Literal["I", "Q"], count: int, folder: Path) -> Numbers:
    """That many zeros of a kind of `array`; large ones lie in a file of the folder without a name.

    The system holds in memory what it has room for. The file is there until nobody needs it.
    """
    size = count * calcsize(kind)
    if size <= SMALL:
        return array(kind, [0]) * count
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryFile(dir=folder) as file:
            _reserve(file.fileno(), size)
            return memoryview(mmap(file.fileno(), size)).cast(kind)
    except OSError as problem:
        raise unwritten(folder, problem) from None


def _reserve(file: int, size: int) -> None:
    """Take the room now: a disk that is full later would end the process without a word."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.truncate(file, size)
