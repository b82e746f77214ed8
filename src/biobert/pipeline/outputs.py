"""The files of an annotation run: what they are called, and which of them are done."""

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from biobert.core.files import STANDARD_STREAM, plain_name
from biobert.data.reading import endings_by_format

JOURNAL = ".biobert-done.jsonl"


@dataclass(frozen=True, slots=True)
class InputOutputs:
    """An input and the file that it gets in each format."""

    path: str
    targets: Mapping[str, Path]


class FolderPlan:
    """The inputs that still wait for their files in a folder, and how those are marked as done."""

    def __init__(
        self, paths: Sequence[str], folder: Path, formats: Sequence[str], *, resume: bool
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._formats = formats
        self._journal = _Journal(folder / JOURNAL, resume=resume)
        self.waiting = [
            one
            for one in outputs_of(paths, folder, lambda path: formats)
            if not self._journal.has(one.path, formats)
        ]
        self.skipped = len(paths) - len(self.waiting)

    def done(self, path: str) -> None:
        """Mark an input whose files stand."""
        self._journal.add(path, self._formats)


def outputs_of(
    paths: Sequence[str], folder: Path, formats: Callable[[str], Sequence[str]]
) -> list[InputOutputs]:
    """The files in a folder that inputs become, in the formats that `formats` tells of each."""
    return [
        InputOutputs(path, {one: folder / f"{name}{_ending(one)}" for one in formats(path)})
        for path, name in zip(paths, _output_names(paths), strict=True)
    ]


class _Journal:
    """The inputs that are done, one JSON line each, so that a killed run can go on."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self.done: set[tuple[str, tuple[str, ...]]] = set()
        if not resume:
            path.unlink(missing_ok=True)
        elif path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                # A line that a kill cut short is an input that is not done.
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:
                    continue
                self.done.add((entry["input"], tuple(entry["formats"])))

    def has(self, path: str, formats: Sequence[str]) -> bool:
        """Whether the input is done in these formats."""
        return (str(Path(path).absolute()), tuple(formats)) in self.done

    def add(self, path: str, formats: Sequence[str]) -> None:
        """Mark an input as done."""
        entry = {"input": str(Path(path).absolute()), "formats": list(formats)}
        with self.path.open("a", encoding="utf-8") as stream:
            # The line break before it parts it from a line that a kill cut short.
            stream.write("\n" + json.dumps(entry) + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def _output_names(paths: Sequence[str]) -> list[str]:
    """A file name for each input, made different where inputs of two folders share one."""
    stems = [_stem(path) for path in paths]
    times = Counter(stems)
    seen: Counter[str] = Counter()
    names = []
    for stem in stems:
        seen[stem] += 1
        names.append(stem if times[stem] == 1 else f"{stem}~{seen[stem]}")
    return names


def _stem(path: str) -> str:
    if path == STANDARD_STREAM:
        return "stdin"
    name = plain_name(path)
    return name.rpartition(".")[0] or name


def _ending(format: str) -> str:
    """The usual ending of a format; BRAT is a folder."""
    return "" if format == "brat" else endings_by_format()[format][0]
