"""The files of an annotation run: what they are called, and which of them are done."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import STANDARD_STREAM, files_at, open_text, plain_name, temporary_sibling
from biobert.core.model_folder import put_in_place, unfinished_folder
from biobert.data.formats.jsonl import document_from_json
from biobert.data.reading import FOLDER_FORMAT, endings_by_format, write_documents
from biobert.data.rejects import Reject, Rejects
from biobert.pipeline.inputs import named_place

JOURNAL = ".biobert-done.jsonl"


@dataclass(frozen=True, slots=True)
class InputOutputs:
    """An input, the file that it gets in each format, and the name that these share."""

    path: str
    targets: Mapping[str, Path]
    name: str

    @property
    def spool(self) -> Path:
        """What is written first where there are several formats."""
        return next(iter(self.targets.values())).with_name(f"{self.name}.spool")


class FolderPlan:
    """The inputs that still wait for their files in a folder, and how those are marked as done.

    `by` names all that the answers depend on. With `resume` an input is skipped that was done in
    these formats by the same, has not changed since, and whose files are there; `rejects` are what
    was set aside of those that are skipped.
    """

    def __init__(
        self, paths: Sequence[str], folder: Path, formats: Sequence[str], *, by: str, resume: bool
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._journal = _Journal(folder / JOURNAL)
        if resume:
            self._journal.read()
        outputs = outputs_of(paths, folder, lambda path: formats, named=self._journal.names)
        check_targets(paths, (target for one in outputs for target in one.targets.values()))
        self._marks = {one.path: _mark(one, by) for one in outputs if one.path != STANDARD_STREAM}
        self.waiting: list[InputOutputs] = []
        self.rejects = Rejects()
        for one in outputs:
            found = self._journal.found(self._marks.get(one.path))
            if found is None or not all(target.exists() for target in one.targets.values()):
                self.waiting.append(one)
            else:
                self.rejects.extend(_read_rejects(found.rejects))
        self.skipped = len(paths) - len(self.waiting)
        check_folders(paths, (target for one in self.waiting for target in one.targets.values()))
        if not resume:
            self._journal.clear()
        _clear_unfinished(folder, self.waiting)

    def done(self, path: str, rejects: Rejects) -> None:
        """Mark an input whose files stand; `rejects` are what was set aside of it."""
        if path in self._marks:
            self._journal.add(replace(self._marks[path], rejects=_written_rejects(rejects)))


def outputs_of(
    paths: Sequence[str],
    folder: Path,
    formats: Callable[[str], Sequence[str]],
    *,
    named: Mapping[str, str] | None = None,
) -> list[InputOutputs]:
    """The files in a folder that inputs become, in the formats that `formats` tells of each.

    `named` are the names that inputs, by their absolute paths, have already.
    """
    return [
        InputOutputs(path, {one: folder / f"{name}{_ending(one)}" for one in formats(path)}, name)
        for path, name in zip(paths, _output_names(paths, named or {}), strict=True)
    ]


def write_outputs(documents: Iterable[Document], one: InputOutputs) -> None:
    """Write a stream into all files of an input: each, and each BRAT folder, whole or not at all.

    Several formats are written without holding the documents, from a file without loss.
    """
    if len(one.targets) == 1:
        ((format, target),) = one.targets.items()
        _write_whole(documents, target, format)
        return
    with temporary_sibling(one.spool) as spool:
        write_documents(documents, spool, "jsonl")
        for format, target in one.targets.items():
            _write_whole(_spooled(spool), target, format)


def _write_whole(documents: Iterable[Document], target: Path, format: str) -> None:
    if format != FOLDER_FORMAT:
        write_documents(documents, target, format)
        return
    with unfinished_folder(target) as folder:
        write_documents(documents, folder, format)
        put_in_place(folder, target)


def _spooled(spool: Path) -> Iterator[Document]:
    """The documents of a file that was written here: none is too long to be read again."""
    with open_text(spool) as stream:
        for line in stream:
            yield document_from_json(json.loads(line))


def check_targets(paths: Iterable[str], targets: Iterable[Path]) -> None:
    """An error where a file to be written is one of those to be read, or is written twice."""
    taken = {Path(path).resolve(): "an input" for path in paths if path != STANDARD_STREAM}
    for target in targets:
        if (what := taken.get(target.resolve())) is not None:
            raise BadInputError(
                f"{target} is {what}: it would be overwritten; name another place",
                code="usage",
            )
        taken[target.resolve()] = "an output"


def check_folders(paths: Iterable[str], targets: Iterable[Path]) -> None:
    """An error where a folder to be replaced holds an input, or more than BRAT pairs."""
    read_in = {parent for path in paths for parent in Path(path).resolve().parents}
    for target in targets:
        if target.is_dir() and (target.resolve() in read_in or not _holds_pairs_alone(target)):
            raise BadInputError(
                f"{target} holds more than the pairs of an earlier run, and would be replaced; "
                "name another place",
                code="usage",
            )


def _holds_pairs_alone(folder: Path) -> bool:
    """Whether a folder holds what `brat` writes, and what a killed run left of it."""
    return all(
        path.name.endswith(".part")
        or (path.suffix in (".txt", ".ann") and path.with_suffix(".ann").is_file())
        for path in folder.iterdir()
    )


@dataclass(frozen=True, slots=True)
class _Mark:
    """A line of the journal: an input as it was, and what it has become."""

    input: str
    bytes: int
    modified_ns: int
    formats: tuple[str, ...]
    by: str
    name: str
    rejects: Mapping[str, Any] = field(default_factory=dict, compare=False)


class _Journal:
    """The inputs that are done, one JSON line each, so that a killed run can go on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._marks: dict[str, list[_Mark]] = {}
        self.names: dict[str, str] = {}

    def read(self) -> None:
        """Know what the file knows; of several lines on the same file the last counts."""
        if not self._path.is_file():
            return
        for line in self._path.read_text(encoding="utf-8").splitlines():
            # A line that a kill cut short is an input that is not done.
            try:
                values = json.loads(line)
                mark = _Mark(**{**values, "formats": tuple(values["formats"])})
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

    def found(self, mark: _Mark | None) -> _Mark | None:
        """The same mark as it was written, if it was."""
        known = self._marks.get(mark.input, ()) if mark else ()
        return next((one for one in known if one == mark), None)

    def add(self, mark: _Mark) -> None:
        """Mark an input as done."""
        with self._path.open("a", encoding="utf-8") as stream:
            # The line break before it parts it from a line that a kill cut short.
            stream.write("\n" + json.dumps(asdict(mark)) + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def _mark(one: InputOutputs, by: str) -> _Mark:
    place = Path(one.path)
    files = files_at(place)
    if place.suffix == ".ann" and place.with_suffix(".txt").is_file():
        files.append(place.with_suffix(".txt"))
    states = [file.stat() for file in files]
    return _Mark(
        input=named_place(one.path),
        bytes=sum(state.st_size for state in states),
        modified_ns=max((state.st_mtime_ns for state in states), default=0),
        formats=tuple(one.targets),
        by=by,
        name=one.name,
    )


def _written_rejects(rejects: Rejects) -> dict[str, Any]:
    if not rejects.count:
        return {}
    kept = [asdict(one) for one in rejects.kept]
    return {"count": rejects.count, "reasons": dict(rejects.reasons), "kept": kept}


def _read_rejects(values: Mapping[str, Any]) -> Rejects:
    rejects = Rejects()
    if values:
        rejects.count, rejects.reasons = values["count"], Counter(values["reasons"])
        rejects.kept = [Reject(**one) for one in values["kept"]]
    return rejects


def _clear_unfinished(folder: Path, outputs: Iterable[InputOutputs]) -> None:
    """Remove what a killed run left of the files that are to be written."""
    names = {place.name for one in outputs for place in (*one.targets.values(), one.spool)}
    for left in folder.glob(".*.part"):
        # .NAME.PROCESS.part, by core/files.py
        if left.is_file() and left.name.removeprefix(".").rsplit(".", 2)[0] in names:
            left.unlink(missing_ok=True)


def _output_names(paths: Sequence[str], named: Mapping[str, str]) -> list[str]:
    """A name for each input: the one it has, or the first of `one`, `one~2`, ... that is free."""
    taken = set(named.values())
    last: Counter[str] = Counter()
    names = []
    for path in paths:
        name = named.get(named_place(path))
        if name is None:
            name = stem = _stem(path)
            while name in taken:
                last[stem] += 1
                name = f"{stem}~{last[stem] + 1}"
            taken.add(name)
        names.append(name)
    return names


def _stem(path: str) -> str:
    if path == STANDARD_STREAM:
        return "stdin"
    name = plain_name(path)
    return name.rpartition(".")[0] or name


def _ending(format: str) -> str:
    """The usual ending of a format; BRAT is a folder."""
    return "" if format == FOLDER_FORMAT else endings_by_format()[format][0]
