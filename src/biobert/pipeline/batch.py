"""Annotating many inputs: streamed, written whole or not at all, resumable."""

import json
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import glob
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import STANDARD_STREAM, plain_name, temporary_sibling
from biobert.data.reading import endings_by_format, format_of, read_documents, write_documents
from biobert.data.rejects import Rejects
from biobert.pipeline.annotator import Annotator

JOURNAL = ".biobert-done.jsonl"
SHOWN_DOCUMENTS = 20
Advance = Callable[[int, str], None]
"""Told how many documents are done, and the name of the input at work."""


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Where results go. `output` is None (keep some to show), `-`, a file or a folder."""

    output: str | None = None
    formats: tuple[str, ...] = ()
    source_format: str | None = None
    resume: bool = False


@dataclass(slots=True)
class BatchResult:
    """What was done. `labels` and `mentions` count entities, `document_labels` what documents are
    as a whole, `relations` those between entities by label; `shown` are the first documents."""

    model: str
    documents: int = 0
    sentences: int = 0
    skipped: int = 0
    seconds: float = 0.0
    labels: Counter[str] = field(default_factory=Counter)
    mentions: Counter[tuple[str, str]] = field(default_factory=Counter)
    document_labels: Counter[str] = field(default_factory=Counter)
    relations: Counter[str] = field(default_factory=Counter)
    outputs: list[str] = field(default_factory=list)
    shown: list[Document] = field(default_factory=list)

    @property
    def sentences_per_second(self) -> float:
        """Sentences annotated in a second, reading and writing included."""
        return self.sentences / self.seconds if self.seconds else 0.0


def annotate_inputs(
    inputs: Sequence[str],
    annotator: Annotator,
    settings: BatchSettings,
    rejects: Rejects,
    advance: Advance = lambda count, name: None,
) -> BatchResult:
    """Annotate files, folders, globs or standard input into the places `settings` name."""
    result = BatchResult(model=annotator.name)
    began = time.perf_counter()
    paths = find_inputs(inputs, settings.source_format)
    job = _Job(annotator, settings, rejects, result, advance)
    if settings.output is None:
        for _ in job.annotated(paths):
            pass
    elif _is_folder(settings):
        job.into_folder(paths, Path(settings.output))
    else:
        job.into_file(paths, settings.output)
    result.seconds = time.perf_counter() - began
    return result


def find_inputs(inputs: Iterable[str], source_format: str | None) -> list[str]:
    """Files to read, each once, in order: folders are searched, globs expanded."""
    found: list[str] = []
    for name in inputs:
        place = Path(name)
        if name == STANDARD_STREAM or place.is_file():
            found.append(name)
        elif place.is_dir():
            found += _in_folder(place, source_format)
        elif matches := sorted(glob(name, recursive=True)):  # noqa: PTH207
            found += [match for match in matches if Path(match).is_file()]
        else:
            raise BadInputError(f"no such file, folder or pattern: {name}", code="not-found")
    if not found:
        raise BadInputError(f"nothing to read in {', '.join(inputs)}", code="not-found")
    return list(dict.fromkeys(found))


def read_inputs(
    paths: Iterable[str], source_format: str | None, rejects: Rejects
) -> Iterator[Document]:
    """The documents of the files that were found; standard input is text unless told otherwise."""
    for path in paths:
        own = "text" if path == STANDARD_STREAM else None
        yield from read_documents(path, source_format or own, rejects)


def _in_folder(folder: Path, source_format: str | None) -> list[str]:
    if source_format == "brat" or (source_format is None and list(folder.glob("*.ann"))):
        return [str(folder)]
    endings = tuple(ending for some in endings_by_format().values() for ending in some)
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [
        str(path)
        for path in files
        if source_format or plain_name(path).lower().endswith(endings)
        if not path.name.startswith(".")
    ]


def _is_folder(settings: BatchSettings) -> bool:
    assert settings.output is not None
    if settings.output == STANDARD_STREAM:
        return False
    place = Path(settings.output)
    if place.is_dir() or settings.output.endswith(os.sep) or len(settings.formats) > 1:
        return True
    return not place.suffix


class _Job:
    """One call of `annotate_inputs` at work."""

    def __init__(
        self,
        annotator: Annotator,
        settings: BatchSettings,
        rejects: Rejects,
        result: BatchResult,
        advance: Advance,
    ) -> None:
        self.annotator, self.settings, self.rejects = annotator, settings, rejects
        self.result, self.advance = result, advance

    def annotated(self, paths: Iterable[str]) -> Iterator[Document]:
        """The documents of some inputs, annotated and counted."""
        reading = _Reading(paths, self._read)
        for _, document in self._in_turn(reading):
            yield document
        reading.check()

    def into_file(self, paths: Sequence[str], output: str) -> None:
        """All documents into one file."""
        wanted = self.settings.formats[0] if self.settings.formats else format_of(output)
        write_documents(self.annotated(paths), output, wanted)
        self.result.outputs.append(output)

    def into_folder(self, paths: Sequence[str], folder: Path) -> None:
        """Each input into files of its own; an input is done when all its formats stand."""
        folder.mkdir(parents=True, exist_ok=True)
        formats = self.settings.formats or ("pubtator",)
        journal = _Journal(folder / JOURNAL, resume=self.settings.resume)
        names = dict(zip(paths, _output_names(paths), strict=True))
        waiting = [path for path in paths if not journal.has(path, formats)]
        self.result.skipped = len(paths) - len(waiting)
        for path, documents in self._by_input(waiting):
            targets = {format: folder / f"{names[path]}{_ending(format)}" for format in formats}
            self._write(documents, targets)
            self.result.outputs += map(str, targets.values())
            journal.add(path, formats)

    def _write(self, documents: Iterable[Document], targets: Mapping[str, Path]) -> None:
        """Write a stream in several formats without holding it: through a file without loss."""
        if len(targets) == 1:
            ((format, target),) = targets.items()
            write_documents(documents, target, format)
            return
        first = next(iter(targets.values()))
        with temporary_sibling(first.with_name(f"{first.stem}.spool")) as spool:
            write_documents(documents, spool, "jsonl")
            for format, target in targets.items():
                write_documents(read_documents(spool, "jsonl", self.rejects), target, format)

    def _by_input(self, paths: Sequence[str]) -> Iterator[tuple[str, Iterator[Document]]]:
        """Every input with its annotated documents; each must be consumed before the next."""
        reading = _Reading(paths, self._read)
        groups = groupby(self._in_turn(reading), key=itemgetter(0))
        group = next(groups, None)
        for path in paths:
            if group is not None and group[0] == path:
                yield path, self._of_input(path, group[1], reading)
                group = next(groups, None)
            else:
                yield path, self._of_input(path, (), reading)

    def _of_input(
        self, path: str, pairs: Iterable[tuple[str, Document]], reading: "_Reading"
    ) -> Iterator[Document]:
        for _, document in pairs:
            yield document
        reading.check(path)

    def _in_turn(self, reading: "_Reading") -> Iterator[tuple[str, Document]]:
        """The annotated documents of all inputs as one stream, each with its input."""

        def refuse(document: Document, problem: str) -> None:
            reading.turns.popleft()
            place = document.provenance.source or "document"
            self.rejects.add(place, document.id, problem)

        for document in self.annotator.annotate_many(reading, refused=refuse):
            self._count(document)
            yield reading.turns.popleft(), document

    def _read(self, path: str) -> Iterator[Document]:
        self.advance(self.result.documents, Path(path).name)
        yield from read_inputs([path], self.settings.source_format, self.rejects)

    def _count(self, document: Document) -> None:
        result = self.result
        result.documents += 1
        result.sentences += len(self.annotator.model.task.examples(document))
        result.document_labels.update(document.labels)
        for entity in document.entities:
            result.labels[entity.label] += 1
            result.mentions[(document.mention(entity), entity.label)] += 1
        result.relations.update(relation.label for relation in document.relations)
        if self.settings.output is None and len(result.shown) < SHOWN_DOCUMENTS:
            result.shown.append(document)


class _Reading:
    """Documents of some inputs as they are read ahead of their annotation.

    `turns` are the inputs of those that are on their way. An input that cannot be read ends the
    reading, and its fault waits until all that was read before it is done.
    """

    def __init__(self, paths: Iterable[str], read: Callable[[str], Iterator[Document]]) -> None:
        self.turns: deque[str] = deque()
        self._paths, self._read = paths, read
        self._fault: tuple[str, BiobertError] | None = None

    def __iter__(self) -> Iterator[Document]:
        for path in self._paths:
            try:
                for document in self._read(path):
                    self.turns.append(path)
                    yield document
            except BiobertError as problem:
                self._fault = path, problem
                return

    def check(self, path: str | None = None) -> None:
        """Raise the fault of this input, or of any."""
        if self._fault is not None and path in (None, self._fault[0]):
            raise self._fault[1]


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
