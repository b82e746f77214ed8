"""An exported encoder with its decoder: one graph reads a source, one says what comes next.

The engine is whatever runs a graph. What was written is remembered here, in numpy.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from biobert.core.files import read_json
from biobert.core.model_folder import CONFIG
from biobert.core.task import FloatArray, IntArray
from biobert.text.beam_search import BoolArray

ROOM = 32
"""So many steps more fit into the memory of what is written each time that it is full. Graphs see
all of it: an engine that prepares itself for every shape then meets few."""


class Graph(Protocol):
    """A graph on some engine; `precision` is how it computes."""

    engine: str
    precision: str

    def run(self, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]) -> list[np.ndarray]:
        """The outputs of these names. What they hold may change with the next run."""
        ...


class GraphDecoder:
    """Reads sources and says what comes next, as `SourceReader` and `NextPiece` in torch do."""

    def __init__(self, folder: Path, reader: Graph, next_piece: Graph) -> None:
        """The graphs are those of the folder, whose `config.json` says how long a text may be."""
        config = read_json(
            folder / CONFIG, missing=f"{folder} has no {CONFIG}, which says how long a text may be"
        )
        self.engine, self.precision = reader.engine, reader.precision
        self.positions = int(config["encoder"]["max_position_embeddings"])
        # The first of them is taken by what every text begins with.
        self.pieces = int(config["decoder"]["max_position_embeddings"]) - 1
        self._reader, self._next = reader, next_piece

    def read(self, token_ids: IntArray, mask: BoolArray) -> "GraphReading":
        """Read padded sources, (sources, length) both."""
        (memory,) = self._reader.run({"token_ids": token_ids, "mask": mask}, ["memory"])
        return GraphReading(self._next, memory.copy(), mask)


class GraphReading:
    """Sources that were read, and the keys and values of all that is written about them."""

    def __init__(self, next_piece: Graph, memory: FloatArray, mask: BoolArray) -> None:
        self._next = next_piece
        self._mask = mask
        self._memory = _numbered("memory", memory)
        self._past = memory[..., :0, :]
        self._steps = 0

    def following(self, pieces: IntArray, ancestors: BoolArray) -> FloatArray:
        """(sources, beams, vocabulary) logits of what follows the newest pieces."""
        known, beams = ancestors.shape[-1], pieces.shape[-1]
        if known + beams > self._past.shape[-2]:
            self._past = _with_room(self._past, ROOM * beams)
        seen = np.zeros((*pieces.shape, self._past.shape[-2]), dtype=np.bool_)
        seen[..., :known] = ancestors
        logits, said = self._next.run(
            {
                "pieces": np.ascontiguousarray(pieces),
                "position": np.array([self._steps]),
                "mask": self._mask,
                "ancestors": seen,
                **self._memory,
                **_numbered("past", self._past),
            },
            ["logits", "said"],
        )
        self._past[..., known : known + beams, :] = said
        self._steps += 1
        return logits


def _numbered(name: str, arrays: FloatArray) -> dict[str, np.ndarray]:
    return {f"{name}_{number}": one for number, one in enumerate(arrays)}


def _with_room(past: FloatArray, more: int) -> FloatArray:
    wider = np.zeros((*past.shape[:-2], past.shape[-2] + more, past.shape[-1]), dtype=past.dtype)
    wider[..., : past.shape[-2], :] = past
    return wider
