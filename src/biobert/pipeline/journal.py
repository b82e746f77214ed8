"""The journal of a run into a folder: which inputs are done, and as what."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

JOURNAL = ".biobert-done.jsonl"
NOBODY = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the journal: an input as it was, what it has become, and by whom."""

    input: str
    bytes: int
    modified_ns: int
    formats: tuple[str, ...]
    by: str
    name: str
    rejects: Mapping[str, Any] = field(default_factory=dict, compare=False)


class Journal:
    """The inputs that are done, one JSON line each, so that a killed run can go on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._marks: dict[str, list[Mark]] = {}
        self.names: dict[str, str] = {}

    def read(self) -> None:
        """Know what the file knows; of several lines on the same file the last counts."""
        if not self._path.is_file():
            return
        for line in self._path.read_text(encoding="utf-8").splitlines():
            # A line that a kill cut short is an input that is not done.
            try:
                values = json.loads(line)
                mark = Mark(**{**values, "formats": tuple(values["formats"])})
            except (json.JSONDecodeError, TypeError, KeyError):
                continue
            others = (
                one
                for one in self._marks.get(mark.input, ())
                if set(one.formats).isdisjoint(mark.formats)
            )
            self._marks[mark.input] = [*others, mark]
            self.names[mark.input] = mark.name

    def clear(self) -> None:
        """Forget all."""
        self._path.unlink(missing_ok=True)

    def found(self, mark: Mark | None) -> Mark | None:
        """The same mark as it was written, if it was."""
        known = self._marks.get(mark.input, ()) if mark else ()
        return next((one for one in known if one == mark), None)

    def forget(self, marks: Iterable[Mark]) -> None:
        """Say of inputs that are done anew that nobody has: a kill may leave some files changed."""
        known = [mark for mark in marks if mark.input in self._marks]
        if known:
            self.add([replace(mark, by=NOBODY) for mark in known])

    def add(self, marks: Sequence[Mark]) -> None:
        """Mark inputs as done."""
        with self._path.open("a", encoding="utf-8") as stream:
            # The line break before them parts them from a line that a kill cut short.
            stream.writelines(f"\n{json.dumps(asdict(mark))}\n" for mark in marks)
            stream.flush()
            os.fsync(stream.fileno())
