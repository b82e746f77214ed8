"""Files of vectors: NumPy arrays and JSON lines, written as they come."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from biobert.core.errors import BadInputError
from biobert.core.files import STANDARD_STREAM, plain_name, temporary_sibling, write_text

HEADER_BYTES = 128
"""Of a NumPy file of version 1.0 with a short header: room for any number of rows."""


@dataclass(frozen=True, slots=True, eq=False)
class NamedVector:
    """A vector (size,) and what it belongs to."""

    id: str
    vector: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class VectorCount:
    """How many vectors there are, and how wide each is."""

    count: int
    size: int


def write_vectors(vectors: Iterable[NamedVector], path: str) -> VectorCount:
    """Write vectors in constant memory; the file appears whole or not at all.

    `.npy` is a float32 array (count, size) in the order of the input; `.jsonl` (or `-`) has a line
    `{"id": ..., "vector": [...]}` for each and may end in `.gz` or `.xz`.
    """
    if path == STANDARD_STREAM or plain_name(path).endswith(".jsonl"):
        return _write_lines(vectors, path)
    if path.endswith(".npy"):
        return _write_array(vectors, Path(path))
    raise BadInputError(f"{path}: vectors are written to .npy or .jsonl", code="usage")


def _write_lines(vectors: Iterable[NamedVector], path: str) -> VectorCount:
    count = size = 0
    with write_text(path) as stream:
        for one in vectors:
            count, size = count + 1, len(one.vector)
            numbers = [float(f"{value:.7g}") for value in one.vector.tolist()]
            stream.write(json.dumps({"id": one.id, "vector": numbers}, ensure_ascii=False) + "\n")
    return VectorCount(count, size)


def _write_array(vectors: Iterable[NamedVector], path: Path) -> VectorCount:
    count = size = 0
    with temporary_sibling(path) as unfinished:
        with unfinished.open("wb") as stream:
            stream.write(bytes(HEADER_BYTES))
            for one in vectors:
                count, size = count + 1, len(one.vector)
                stream.write(one.vector.astype("<f4").tobytes())
            # The number of rows is known at the end only.
            stream.seek(0)
            _write_header(stream, count, size)
        os.replace(unfinished, path)
    return VectorCount(count, size)


def _write_header(stream: BinaryIO, count: int, size: int) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": (count, size)}
    np.lib.format.write_array_header_1_0(stream, header)
    if stream.tell() != HEADER_BYTES:
        raise AssertionError(f"the header of {count} rows takes {stream.tell()} bytes")
