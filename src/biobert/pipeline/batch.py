"""Annotating many inputs: streamed, written whole or not at all, resumable."""

import os
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import STANDARD_STREAM
from biobert.data.reading import check_writable, format_of, not_held
from biobert.data.rejects import Reject, Rejects
from biobert.pipeline.annotator import Annotator, Refused
from biobert.pipeline.inputs import find_inputs, noting, read_inputs
from biobert.pipeline.lock import sole_run
from biobert.pipeline.outputs import (
    FolderPlan,
    InputOutputs,
    check_folders,
    check_targets,
    write_spooled,
    write_whole,
)
from biobert.text.sentences import sentences_of

SHOWN_DOCUMENTS = 20
DEFAULT_FORMATS = ("pubtator",)
KEPT_MENTIONS = 10_000
"""So many different mentions are counted for good; the rarest of twice as many are forgotten."""
Advance = Callable[[int, str], None]
"""Told how many documents are done, and the name of the input at work."""
Done = Callable[[str, Rejects], None]
"""Told of an input whose files stand, and what was set aside of it."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where results go. `output` is None (keep some to show), `-`, a file or a folder."""

    output: str | None = None
    formats: tuple[str, ...] = ()
    source_format: str | None = None
    resume: bool = False


@dataclass(slots=True)
class BatchResult:
    """What was done. `labels` and `mentions` count entities, `document_labels` what documents are
    as a whole, `relations` those between entities by label; `shown` are the first documents.
    `skipped` inputs and `kept` documents were done before, and are not counted among the others.
    `unreadable` says of inputs that were set aside what is wrong with them."""

    model: str
    documents: int = 0
    sentences: int = 0
    skipped: int = 0
    kept: int = 0
    seconds: float = 0.0
    labels: Counter[str] = field(default_factory=Counter)
    mentions: Counter[tuple[str, str]] = field(default_factory=Counter)
    document_labels: Counter[str] = field(default_factory=Counter)
    relations: Counter[str] = field(default_factory=Counter)
    outputs: list[str] = field(default_factory=list)
    shown: list[Document] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)

    def count(self, document: Document) -> None:
        """Count a document and what was found in it."""
        self.documents += 1
        self.sentences += len(sentences_of(document))
        self.labels.update(entity.label for entity in document.entities)
        self.mentions.update((document.mention(one), one.label) for one in document.entities)
        self.document_labels.update(document.labels)
        self.relations.update(relation.label for relation in document.relations)
        self._forget_rare_mentions()

    def add(self, other: "BatchResult") -> None:
        """Count what another part of the run did."""
        self.documents += other.documents
        self.sentences += other.sentences
        self.kept += other.kept
        self.labels += other.labels
        self.mentions += other.mentions
        self.document_labels += other.document_labels
        self.relations += other.relations
        self.outputs += other.outputs
        self.unreadable |= other.unreadable
        self._forget_rare_mentions()

    def _forget_rare_mentions(self) -> None:
        if len(self.mentions) > 2 * KEPT_MENTIONS:
            self.mentions = Counter(dict(self.mentions.most_common(KEPT_MENTIONS)))

    def not_held(self, formats: Iterable[str]) -> list[str]:
        """Of the formats that were written, what each has no place for, a line each."""
        counts = {
            "entities": self.labels.total(),
            "relations": self.relations.total(),
            "labels": self.document_labels.total(),
        }
        return [line for one in formats if (line := not_held(one, counts))]

    @property
    def sentences_per_second(self) -> float:
        """Sentences annotated in a second, reading and writing included."""
        return self.sentences / self.seconds if self.seconds else 0.0


def annotate_inputs(
    inputs: Sequence[str],
    annotator: Annotator,
    settings: Destination,
    rejects: Rejects,
    advance: Advance = lambda count, name: None,
) -> BatchResult:
    """Annotate files, folders, globs or standard input into the places `settings` name.

    An input that cannot be read to its end is set aside, and gets no files of its own.
    """
    result = BatchResult(model=annotator.name)
    began = time.perf_counter()
    job = _Job(annotator, settings, rejects, result, advance)
    if is_folder(settings):
        with planned_folder(inputs, annotator, settings) as plan:
            result.skipped = plan.skipped
            rejects.extend(plan.rejects)
            job.into_files(plan.waiting, plan.done)
    elif settings.resume:
        raise BadInputError("--resume needs a folder as --output", code="usage")
    else:
        job.into_file(find_inputs(inputs, settings.source_format))
    result.seconds = time.perf_counter() - began
    return result


def annotate_outputs(
    outputs: Sequence[InputOutputs],
    annotator: Annotator,
    settings: Destination,
    rejects: Rejects,
    done: Done,
) -> BatchResult:
    """Annotate a part of a larger run, into the files that were chosen for it."""
    result = BatchResult(model=annotator.name)
    job = _Job(annotator, settings, rejects, result, lambda count, name: None)
    job.into_files(outputs, done)
    return result


def is_folder(settings: Destination) -> bool:
    """Whether every input gets files of its own, in a folder."""
    if settings.output is None or settings.output == STANDARD_STREAM:
        return False
    place = Path(settings.output)
    if place.is_dir() or settings.output.endswith(os.sep) or len(settings.formats) > 1:
        return True
    return not place.suffix


def formats_of(settings: Destination) -> tuple[str, ...]:
    """The formats that are written; none where texts are shown alone."""
    if settings.output is None:
        return ()
    if is_folder(settings):
        return settings.formats or DEFAULT_FORMATS
    return settings.formats[:1] or (format_of(settings.output),)


@contextmanager
def planned_folder(
    inputs: Sequence[str], annotator: Annotator, settings: Destination
) -> Iterator[FolderPlan]:
    """What is still to be done of the inputs, in the folder that `settings` name.

    Until the end no other run may be at work in that folder.
    """
    assert settings.output is not None
    folder, formats = Path(settings.output), formats_of(settings)
    paths = find_inputs(inputs, settings.source_format, without=folder)
    by = f"{annotator.fingerprint} {settings.source_format or ''}".strip()
    for format in formats:  # before the folder is made
        check_writable(format)
    with sole_run(folder):
        yield FolderPlan(paths, folder, formats, by=by, resume=settings.resume)


class _Job:
    """One call of `annotate_inputs` at work."""

    def __init__(
        self,
        annotator: Annotator,
        settings: Destination,
        rejects: Rejects,
        result: BatchResult,
        advance: Advance,
    ) -> None:
        self.annotator, self.settings, self.rejects = annotator, settings, rejects
        self.result, self.advance = result, advance

    def into_file(self, paths: Sequence[str]) -> None:
        """All documents into one file, or into none where no output is named."""
        output = self.settings.output
        documents = self._all_of(paths)
        if output is None:
            self.result.shown += islice(documents, SHOWN_DOCUMENTS)
            deque(documents, maxlen=0)  # The rest is counted.
            return
        (format,) = formats_of(self.settings)
        if output != STANDARD_STREAM:
            check_targets(paths, [Path(output)])
            check_folders(paths, [(format, Path(output))])
        write_whole(documents, output, format)
        self.result.outputs.append(output)

    def into_files(self, outputs: Sequence[InputOutputs], done: Done) -> None:
        """Each input into files of its own; `done` is told when all of them stand."""
        by_path = {one.path: one for one in outputs}
        own: defaultdict[str, Rejects] = defaultdict(Rejects)
        kept = {one.path: one.kept for one in outputs}
        reading = self._reading(list(by_path), own.__getitem__, kept)
        for path, steps in self._by_input(reading):
            self._write(by_path[path], steps, own[path], done)
            self.rejects.extend(own.pop(path))

    def _write(
        self, one: InputOutputs, steps: Iterable["_Step"], rejects: Rejects, done: Done
    ) -> None:
        """An input into its files, once all that became of its documents is in its spool, which
        stays until the input is marked as done."""
        part = BatchResult(self.result.model, kept=one.kept)
        with one.spool() as spool:
            try:
                for step in steps:
                    spool.add(step.outcome)
                    if step.ends_chunk:
                        spool.end_chunk()
                    if isinstance(step.outcome, Document):
                        part.count(step.outcome)
            except _UnreadableError as problem:
                self._set_aside(one.path, str(problem), rejects)
                spool.remove()
                return
            finally:
                rejects.extend(spool.refused)
            spool.end_chunk()
            write_spooled(spool, one)
        part.outputs += map(str, one.targets.values())
        self.result.add(part)
        done(one.path, rejects)

    def _all_of(self, paths: Sequence[str]) -> Iterator[Document]:
        """The documents of some inputs as one stream, annotated and counted."""
        reading = self._reading(paths, lambda path: self.rejects, {})
        for step in self._in_turn(reading):
            if isinstance(step.outcome, Reject):
                self.rejects.add(*astuple(step.outcome))
            else:
                self.result.count(step.outcome)
                yield step.outcome
        for path, problem in reading.problems.items():
            self._set_aside(path, problem, self.rejects)

    def _by_input(self, reading: "_Reading") -> Iterator[tuple[str, Iterator["_Step"]]]:
        """Every input with what becomes of its documents; each must be consumed before the next."""
        groups = groupby(self._in_turn(reading), key=attrgetter("path"))
        group = next(groups, None)
        for path in reading.paths:
            if group is not None and group[0] == path:
                yield path, self._of_input(path, group[1], reading)
                group = next(groups, None)
            else:
                yield path, self._of_input(path, (), reading)

    def _of_input(
        self, path: str, steps: Iterable["_Step"], reading: "_Reading"
    ) -> Iterator["_Step"]:
        yield from steps
        if path in reading.problems:
            raise _UnreadableError(reading.problems[path])

    def _in_turn(self, reading: "_Reading") -> Iterator["_Step"]:
        """What becomes of the documents of all inputs, as one stream."""
        for chunk in self.annotator.annotate_chunks(reading):
            for one in chunk:
                outcome = _reject(one) if isinstance(one, Refused) else one
                yield _Step(reading.turns.popleft(), outcome, ends_chunk=one is chunk[-1])

    def _reading(
        self, paths: Sequence[str], rejects: Callable[[str], Rejects], kept: Mapping[str, int]
    ) -> "_Reading":
        def begun(path: str) -> None:
            self.advance(self.result.documents, Path(path).name)

        return _Reading(paths, self.settings.source_format, rejects, kept, begun)

    def _set_aside(self, path: str, problem: str, rejects: Rejects) -> None:
        rejects.add(path, "file", problem)
        self.result.unreadable[path] = problem


@dataclass(frozen=True, slots=True)
class _Step:
    """What became of the next document of an input, annotated or refused.

    `ends_chunk` says of the last of those that were annotated together.
    """

    path: str
    outcome: Document | Reject
    ends_chunk: bool


def _reject(refused: Refused) -> Reject:
    document = refused.document
    return Reject(document.provenance.source or "document", document.id, str(refused.problem))


class _UnreadableError(Exception):
    """Keeps the files of an input from being written whose end could not be read."""


class _Reading:
    """Documents of some inputs as they are read ahead of their annotation.

    `turns` are the inputs of those that are on their way, `rejects` gives the place for what is set
    aside of an input, `problems` says why some could not be read to their end. So many of an input
    are `kept`, and passed over. `begun` is told of each input in its turn.
    """

    def __init__(
        self,
        paths: Sequence[str],
        source_format: str | None,
        rejects: Callable[[str], Rejects],
        kept: Mapping[str, int],
        begun: Callable[[str], None],
    ) -> None:
        self.paths, self.rejects = paths, rejects
        self.turns: deque[str] = deque()
        self.problems: dict[str, str] = {}
        self._source_format, self._kept, self._begun = source_format, kept, begun

    def __iter__(self) -> Iterator[Document]:
        for path in self.paths:
            self._begun(path)
            for document in self._documents(path):
                self.turns.append(path)
                yield document

    def _documents(self, path: str) -> Iterator[Document]:
        """What can be read of an input, until it ends or a fault does."""
        with noting(path, self.problems):
            documents = read_inputs([path], self._source_format, self.rejects(path))
            yield from islice(documents, self._kept.get(path, 0), None)
