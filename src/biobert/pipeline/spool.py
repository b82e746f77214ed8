"""The documents of an input on their way into its files, kept so that a stopped run can go on."""

import json
from collections.abc import Iterator
from dataclasses import astuple
from itertools import islice
from pathlib import Path
from typing import Self

from biobert.core.document import Document
from biobert.data.formats.jsonl import document_from_json, document_to_json
from biobert.data.rejects import Reject, Rejects
from biobert.pipeline.lock import hold

END_OF_CHUNK = b"\n"
REFUSAL = b"["
"""A list; a document is an object."""


class Spool:
    """A hidden file with a line for each document that was read: annotated, or why it was refused.

    Its first line is `header`, what the answers depend on. A blank line ends those that were
    annotated together, so that a run which goes on from there forms the same batches. The first
    `kept` documents stay, and what a kill left behind them goes; `refused` are those set aside.
    """

    def __init__(self, place: Path, header: str, *, kept: int = 0) -> None:
        self._place, self.refused = place, Rejects()
        place.parent.mkdir(parents=True, exist_ok=True)
        self._file = place.open("a+b")
        try:
            hold(self._file, place.parent)
            self._cut(header, kept)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, outcome: Document | Reject) -> None:
        """Keep what became of the next document."""
        if isinstance(outcome, Reject):
            self.refused.add(*astuple(outcome))
            values: object = astuple(outcome)
        else:
            values = document_to_json(outcome)
        self._file.write(json.dumps(values, ensure_ascii=False).encode() + b"\n")

    def end_chunk(self) -> None:
        """From here a stopped run goes on."""
        self._file.write(END_OF_CHUNK)
        self._file.flush()

    def documents(self) -> Iterator[Document]:
        """The annotated documents, from the first; none is too long to be read again."""
        self._file.seek(0)
        self._file.readline()
        for line in self._outcomes():
            if not line.startswith(REFUSAL):
                yield document_from_json(json.loads(line))

    def remove(self) -> None:
        """Leave nothing on the disk."""
        self._place.unlink(missing_ok=True)

    def _outcomes(self) -> Iterator[bytes]:
        return (line for line in self._file if line != END_OF_CHUNK)

    def _cut(self, header: str, kept: int) -> None:
        self._file.seek(0)
        if not kept:
            self._file.truncate()
            self._file.write(header.encode() + b"\n")
            return
        self._file.readline()
        for line in islice(self._outcomes(), kept):
            if line.startswith(REFUSAL):
                self.refused.add(*json.loads(line))
        self._file.truncate(self._file.tell())
        self.end_chunk()


def documents_kept(place: Path, header: str) -> int:
    """How many documents a stopped run has left here, up to the last end of a chunk.

    Without a header they are nobody's, and none is kept.
    """
    if not header or not place.is_file():
        return 0
    count = kept = 0
    with place.open("rb") as file:
        if file.readline() != header.encode() + b"\n":
            return 0
        for line in file:
            if line == END_OF_CHUNK:
                kept = count
            else:
                count += 1
    return kept
