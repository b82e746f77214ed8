"""Annotating many inputs: streamed, written whole or not at all, resumable."""

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BiobertError
from biobert.core.files import STANDARD_STREAM, temporary_sibling
from biobert.data.reading import format_of, read_documents, write_documents
from biobert.data.rejects import Rejects
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.inputs import find_inputs, read_inputs
from biobert.pipeline.outputs import FolderPlan, InputOutputs

SHOWN_DOCUMENTS = 20
DEFAULT_FORMATS = ("pubtator",)
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

    def add(self, other: "BatchResult") -> None:
        """Count what another worker did."""
        self.documents += other.documents
        self.sentences += other.sentences
        self.labels += other.labels
        self.mentions += other.mentions
        self.document_labels += other.document_labels
        self.relations += other.relations
        self.outputs += other.outputs

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
    elif is_folder(settings):
        plan = plan_folder(paths, settings)
        result.skipped = plan.skipped
        job.into_files(plan.waiting, plan.done)
    else:
        job.into_file(paths, settings.output)
    result.seconds = time.perf_counter() - began
    return result


def annotate_outputs(
    outputs: Sequence[InputOutputs], annotator: Annotator, settings: BatchSettings, rejects: Rejects
) -> BatchResult:
    """Annotate a part of a larger run, into the files that were chosen for it."""
    result = BatchResult(model=annotator.name)
    job = _Job(annotator, settings, rejects, result, lambda count, name: None)
    job.into_files(outputs, lambda path: None)
    return result


def is_folder(settings: BatchSettings) -> bool:
    """Whether every input gets files of its own, in a folder."""
    if settings.output is None or settings.output == STANDARD_STREAM:
        return False
    place = Path(settings.output)
    if place.is_dir() or settings.output.endswith(os.sep) or len(settings.formats) > 1:
        return True
    return not place.suffix


def plan_folder(paths: Sequence[str], settings: BatchSettings) -> FolderPlan:
    """What is still to be done of the inputs, in the folder that `settings` name."""
    assert settings.output is not None
    formats = settings.formats or DEFAULT_FORMATS
    return FolderPlan(paths, Path(settings.output), formats, resume=settings.resume)


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

    def into_files(self, outputs: Sequence[InputOutputs], done: Callable[[str], None]) -> None:
        """Each input into files of its own; `done` is told when all of them stand."""
        by_path = {one.path: one.targets for one in outputs}
        for path, documents in self._by_input(list(by_path)):
            self._write(documents, by_path[path])
            self.result.outputs += map(str, by_path[path].values())
            done(path)

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
