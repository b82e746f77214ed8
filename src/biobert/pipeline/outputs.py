"""The files of an annotation run: what they are called, and which of them are done."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import STANDARD_STREAM, plain_name, sha256_of
from biobert.core.model_folder import put_in_place, unfinished_folder
from biobert.data.reading import (
    FOLDER_FORMAT,
    check_writable,
    endings_by_format,
    write_documents,
)
from biobert.data.rejects import Rejects
from biobert.pipeline.inputs import files_of, named_place
from biobert.pipeline.journal import JOURNAL, NOBODY, Journal, Mark
from biobert.pipeline.spool import Spool, documents_kept

WRITTEN = ".biobert"
"""In a BRAT folder: a digest of what was written there, so that no work of others is replaced."""
UNFINISHED = re.compile(r"\.(?P<name>.+?)(\.\d+)?\.part")
"""What core/files.py calls a file that is not whole, and core/model_folder.py a folder."""


@dataclass(frozen=True, slots=True)
class InputOutputs:
    """An input, the file that it gets in each format, and the name that these share.

    `mark` is what the journal is to say of it. So many of its documents are `kept` of a run that
    was stopped.
    """

    path: str
    targets: Mapping[str, Path]
    name: str
    mark: Mark | None = None
    kept: int = 0

    @property
    def spool_place(self) -> Path:
        """Where its documents are until all of them are there."""
        return next(iter(self.targets.values())).with_name(f".{self.name}.spool")

    @property
    def spool_header(self) -> str:
        """What these depend on."""
        return json.dumps(asdict(self.mark)) if self.mark else NOBODY

    def spool(self) -> Spool:
        """The documents that are kept, to be continued."""
        return Spool(self.spool_place, self.spool_header, kept=self.kept)


class FolderPlan:
    """The inputs that still wait for their files in a folder, and how those are marked as done.

    `by` names all that the answers depend on. With `resume` an input is skipped that was done in
    these formats by the same, has not changed since, and whose files are there; `rejects` are what
    was set aside of those that are skipped. Of an input that was not finished, the documents are
    kept that were annotated by the same. What another run has not finished is cleared away: make
    one under `sole_run` alone.
    """

    def __init__(
        self, paths: Sequence[str], folder: Path, formats: Sequence[str], *, by: str, resume: bool
    ) -> None:
        self._journal = Journal(folder / JOURNAL)
        if resume:
            self._journal.read()
        unmarked = outputs_of(paths, folder, lambda path: formats, named=self._journal.names)
        outputs = [replace(one, mark=_mark(one, by)) for one in unmarked]
        check_targets(paths, (target for one in outputs for target in one.targets.values()))
        self._outputs = {one.path: one for one in outputs}
        self.waiting: list[InputOutputs] = []
        finished: list[InputOutputs] = []
        self.rejects = Rejects()
        for one in outputs:
            found = self._journal.found(one.mark)
            if found is None or not all(target.exists() for target in one.targets.values()):
                kept = documents_kept(one.spool_place, one.spool_header) if resume else 0
                self.waiting.append(replace(one, kept=kept))
            else:
                finished.append(one)
                if found.rejects:
                    self.rejects.extend(Rejects.from_json(found.rejects))
        self.skipped = len(finished)
        check_folders(paths, (pair for one in self.waiting for pair in one.targets.items()))
        if resume:
            self._journal.forget(one.mark for one in self.waiting if one.mark)
        else:
            self._journal.clear()
        clear_unfinished([*finished, *self.waiting])

    def done(self, path: str, rejects: Rejects) -> None:
        """Mark an input whose files stand; `rejects` are what was set aside of it."""
        one = self._outputs[path]
        if one.mark is not None:
            told = rejects.to_json() if rejects.count else {}
            self._journal.add([replace(one.mark, rejects=told)])
        one.spool_place.unlink(missing_ok=True)


def outputs_of(
    paths: Sequence[str],
    folder: Path,
    formats: Callable[[str], Sequence[str]],
    *,
    named: Mapping[str, str] | None = None,
) -> list[InputOutputs]:
    """The files in a folder that inputs become, in the formats that `formats` tells of each.

    `named` are the names that inputs, by their absolute paths, have already. A format that cannot
    be written is an error.
    """
    chosen = {path: formats(path) for path in paths}
    for format in {format for some in chosen.values() for format in some}:
        check_writable(format)
    return [
        InputOutputs(path, {one: folder / f"{name}{_ending(one)}" for one in chosen[path]}, name)
        for path, name in zip(paths, _output_names(paths, named or {}), strict=True)
    ]


def write_outputs(documents: Iterable[Document], one: InputOutputs) -> None:
    """Write a stream into all files of an input: each, and each BRAT folder, whole or not at all.

    Several formats are written without holding the documents.
    """
    if len(one.targets) == 1:
        ((format, target),) = one.targets.items()
        write_whole(documents, target, format)
        return
    with one.spool() as spool:
        try:
            for document in documents:
                spool.add(document)
            write_spooled(spool, one)
        finally:
            spool.remove()


def write_spooled(spool: Spool, one: InputOutputs) -> None:
    """Write what is in the spool into all files of an input."""
    for format, target in one.targets.items():
        write_whole(spool.documents(), target, format)


def write_whole(documents: Iterable[Document], target: Path | str, format: str) -> None:
    """Write a file, or a BRAT folder, whole or not at all."""
    if format != FOLDER_FORMAT:
        write_documents(documents, target, format)
        return
    with unfinished_folder(Path(target)) as folder:
        write_documents(documents, folder, format)
        (folder / WRITTEN).write_text(_digest(folder), encoding="utf-8")
        put_in_place(folder, Path(target))


def check_targets(paths: Iterable[str], targets: Iterable[Path]) -> None:
    """An error where a file to be written is one of those to be read, or is written twice."""
    read = (place for path in paths for place in {Path(path), *files_of(path)})
    taken = {place.resolve(): "an input" for place in read if str(place) != STANDARD_STREAM}
    for target in targets:
        if (what := taken.get(target.resolve())) is not None:
            raise BadInputError(
                f"{target} is {what}: it would be overwritten; name another place",
                code="usage",
            )
        taken[target.resolve()] = "an output"


def check_folders(paths: Iterable[str], targets: Iterable[tuple[str, Path]]) -> None:
    """An error where what a format would replace is a folder that holds an input, or the work of
    others: only a BRAT folder that is as a run left it may go."""
    read_in = {parent for path in paths for parent in Path(path).resolve().parents}
    for format, target in targets:
        may_go = not target.is_dir() if format != FOLDER_FORMAT else _is_as_written(target)
        if target.exists() and (target.resolve() in read_in or not may_go):
            raise BadInputError(
                f"{target} is not what an earlier run wrote there, and would be replaced; move it, "
                "or name another place",
                code="usage",
            )


def clear_unfinished(outputs: Iterable[InputOutputs]) -> None:
    """Remove what a killed run left of these files, but for documents that are kept.

    What a run at work has begun would go, too: clear under `sole_run` alone.
    """
    folders: dict[Path, set[str]] = {}
    for one in outputs:
        if not one.kept:
            one.spool_place.unlink(missing_ok=True)
        for target in one.targets.values():
            folders.setdefault(target.parent, set()).add(target.name)
    for folder, names in folders.items():
        for left in folder.glob(".*.part"):
            match = UNFINISHED.fullmatch(left.name)
            if match is None or match["name"] not in names:
                continue
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _is_as_written(folder: Path) -> bool:
    """Whether a folder is empty, or holds what was written there, nothing more and unchanged."""
    if not folder.is_dir():
        return False
    mark = folder / WRITTEN
    is_marked = mark.is_file() and mark.read_text(encoding="utf-8") == _digest(folder)
    return is_marked or not any(folder.iterdir())


def _digest(folder: Path) -> str:
    """Of the names and contents of what a folder holds, but for the mark."""
    held = [path for path in sorted(folder.iterdir()) if path.name != WRITTEN]
    sums = {path.name: sha256_of(path) if path.is_file() else None for path in held}
    return sha256(json.dumps(sums).encode()).hexdigest()


def _mark(one: InputOutputs, by: str) -> Mark | None:
    """What is to be said of an input; standard input is never done."""
    if one.path == STANDARD_STREAM:
        return None
    states = [file.stat() for file in files_of(one.path)]
    return Mark(
        input=named_place(one.path),
        bytes=sum(state.st_size for state in states),
        modified_ns=max((state.st_mtime_ns for state in states), default=0),
        formats=tuple(one.targets),
        by=by,
        name=one.name,
    )


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
