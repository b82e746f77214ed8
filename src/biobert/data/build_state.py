"""What a build that was stopped needs to go on: hidden files, written after every closed shard."""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from biobert.core.errors import BadInputError
from biobert.core.files import written_whole
from biobert.core.settings import from_mapping
from biobert.data.duplicates import FINGERPRINT_BYTES, Signature
from biobert.data.packets import Position
from biobert.data.rejects import Rejects
from biobert.data.shards import ShardRecord, write_json

STATE = ".build.json"
MARKS = ".marks-{:05}.npz"
UNREADABLE = (OSError, EOFError, BadZipFile, zlib.error, ValueError, KeyError)
"""What numpy raises where a file of arrays is missing, breaks off or is damaged."""


@dataclass(slots=True)
class BuildState:
    """Where a build stands: everything before `position` is in `shards` or was left out.

    `settings` is all that decides the build; `rounds` counts how often shards were closed.
    """

    settings: Mapping[str, Any]
    position: Position = field(default_factory=Position)
    rounds: int = 0
    shards: list[ShardRecord] = field(default_factory=list)
    rejects: Rejects = field(default_factory=Rejects)
    licences: Mapping[str, int] = field(default_factory=dict)
    removed: Mapping[str, int] = field(default_factory=dict)

    def marks(self, folder: Path) -> Iterator[tuple[bytes, Signature | None]]:
        """What tells duplicates of every document kept so far, in order."""
        for number in range(self.rounds):
            yield from _read_marks(folder / MARKS.format(number))


class Marks:
    """Fingerprints and signatures of the documents of one round of shards."""

    def __init__(self) -> None:
        self._fingerprints: list[bytes] = []
        self._signatures: list[Signature] = []

    def add(self, fingerprint: bytes, signature: Signature | None) -> None:
        """Remember a document."""
        self._fingerprints.append(fingerprint)
        if signature is not None:
            self._signatures.append(signature)

    def write(self, folder: Path, number: int) -> None:
        """Write them whole or not at all."""
        fingerprints = np.frombuffer(b"".join(self._fingerprints), dtype=np.uint8)
        signatures = np.array(self._signatures, dtype=np.uint32)
        with written_whole(folder / MARKS.format(number)) as stream:
            np.savez(stream, fingerprints=fingerprints, signatures=signatures)


def read_state(folder: Path) -> BuildState | None:
    """The state of the unfinished build in a folder, or None where there is none."""
    path = folder / STATE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return BuildState(
            settings=values["settings"],
            position=Position(**values["position"]),
            rounds=values["rounds"],
            shards=[from_mapping(ShardRecord, one, place=str(path)) for one in values["shards"]],
            rejects=Rejects.from_json(values["rejects"]),
            licences=values["licences"],
            removed=values["removed"],
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadInputError(f"{path}: damaged: {problem}; build into another folder") from None


def write_state(folder: Path, state: BuildState) -> None:
    """Write the state; what it speaks of must be on the disk already."""
    values = {
        "settings": state.settings,
        "position": asdict(state.position),
        "rounds": state.rounds,
        "shards": [asdict(one) for one in state.shards],
        "rejects": state.rejects.to_json(),
        "licences": state.licences,
        "removed": state.removed,
    }
    write_json(folder / STATE, values)


def clear_state(folder: Path) -> None:
    """Remove what only a stopped build needs, and the parts of files that a kill left."""
    for pattern in (STATE, MARKS.format(0).replace("00000", "*"), ".*.part"):
        for path in folder.glob(pattern):
            path.unlink()


def _read_marks(path: Path) -> Iterator[tuple[bytes, Signature | None]]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            fingerprints, signatures = arrays["fingerprints"], arrays["signatures"]
    except UNREADABLE as problem:
        raise BadInputError(f"{path}: damaged: {problem}; build into another folder") from None
    rows = fingerprints.reshape(-1, FINGERPRINT_BYTES)
    for number, row in enumerate(rows):
        yield row.tobytes(), signatures[number] if len(signatures) else None
