"""De-identifying many inputs: streamed, each file whole or not at all, nothing overwritten."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from biobert.core.document import Document
from biobert.core.files import STANDARD_STREAM, temporary_sibling
from biobert.data.formats import SHELF
from biobert.data.reading import format_of, format_of_input
from biobert.data.rejects import Rejects
from biobert.pipeline.batch import Destination, is_folder
from biobert.pipeline.inputs import find_inputs, read_inputs
from biobert.pipeline.lock import sole_run
from biobert.pipeline.outputs import (
    InputOutputs,
    check_folders,
    check_targets,
    clear_unfinished,
    outputs_of,
    write_outputs,
    write_whole,
)
from biobert.trust.deidentification import Deidentified, Deidentifier
from biobert.trust.fields import fields_of

OWNER_ONLY = 0o600
FALLBACK_FORMAT = "jsonl"
Advance = Callable[[int, str], None]
"""Told how many documents are done, and the name of the input at work."""


@dataclass(frozen=True, slots=True)
class CleanCopies:
    """Where results go: `-`, a file or a folder. `mapping` is a file for the identifiers
    themselves, `patient_field` the metadata that says whose document it is."""

    output: str
    formats: tuple[str, ...] = ()
    source_format: str | None = None
    mapping: Path | None = None
    patient_field: str | None = None


@dataclass(slots=True)
class DeidentificationResult:
    """What was done: how many identifiers of each kind, never which."""

    documents: int = 0
    characters: int = 0
    seconds: float = 0.0
    identifiers: Counter[str] = field(default_factory=Counter)
    outputs: list[str] = field(default_factory=list)


def deidentify_inputs(
    inputs: Sequence[str],
    deidentifier: Deidentifier,
    settings: CleanCopies,
    rejects: Rejects,
    advance: Advance = lambda count, name: None,
) -> DeidentificationResult:
    """De-identify files, folders, globs or standard input into the place `settings` name.

    Without formats to write, every input keeps its own where that can be written, else JSON lines.
    An output or a mapping that is one of the inputs is an error.
    """
    began = time.perf_counter()
    paths = find_inputs(inputs, settings.source_format)
    with _mapping(settings.mapping) as mapping:
        job = _Job(deidentifier, settings, rejects, mapping, advance)
        job.write(paths)
    job.result.seconds = time.perf_counter() - began
    return job.result


def without_details(rejects: Rejects) -> Rejects:
    """The rejects without what a reader quotes of the record: it may be an identifier."""
    plain = Rejects()
    for one in rejects.kept:
        plain.add(one.file, one.place, one.reason.partition(":")[0])
    plain.count, plain.reasons = rejects.count, Counter(rejects.reasons)
    return plain


class _Job:
    """One call of `deidentify_inputs` at work."""

    def __init__(
        self,
        deidentifier: Deidentifier,
        settings: CleanCopies,
        rejects: Rejects,
        mapping: IO[str] | None,
        advance: Advance,
    ) -> None:
        self.deidentifier, self.settings, self.rejects = deidentifier, settings, rejects
        self.mapping, self.advance = mapping, advance
        self.result = DeidentificationResult()

    def write(self, paths: Sequence[str]) -> None:
        """All inputs, into one file or each into its own."""
        settings = self.settings
        if is_folder(Destination(settings.output, settings.formats)):
            outputs = outputs_of(paths, Path(settings.output), self._formats)
            self._check([pair for one in outputs for pair in one.targets.items()], paths)
            with sole_run(Path(settings.output)):
                clear_unfinished(outputs)
                for one in outputs:
                    self._write_input(one)
            return
        is_stream = settings.output == STANDARD_STREAM
        format = settings.formats[0] if settings.formats else self._single_format(paths)
        self._check([] if is_stream else [(format, Path(settings.output))], paths)
        write_whole(self._documents(paths), settings.output, format)
        self.result.outputs.append(settings.output)

    def _check(self, outputs: Sequence[tuple[str, Path]], inputs: Sequence[str]) -> None:
        """An error where one file to be written would overwrite another or an input."""
        mapping, targets = self.settings.mapping, [target for _, target in outputs]
        check_targets(inputs, targets if mapping is None else [*targets, mapping])
        check_folders(inputs, outputs)

    def _single_format(self, paths: Sequence[str]) -> str:
        if self.settings.output != STANDARD_STREAM:
            return format_of(self.settings.output)
        return self._formats(paths[0])[0]

    def _write_input(self, one: InputOutputs) -> None:
        """An input in each of its formats."""
        self.result.outputs += map(str, one.targets.values())
        write_outputs(self._documents([one.path]), one)

    def _formats(self, path: str) -> Sequence[str]:
        """The formats asked for, or the input's own where it can be written."""
        if self.settings.formats:
            return self.settings.formats
        own = self.settings.source_format or format_of_input(path)
        return (own if hasattr(SHELF.load(own), "write") else FALLBACK_FORMAT,)

    def _documents(self, paths: Iterable[str]) -> Iterator[Document]:
        for path in paths:
            self.advance(self.result.documents, Path(path).name)
            for document in read_inputs([path], self.settings.source_format, self.rejects):
                yield self._one(document)

    def _one(self, document: Document) -> Document:
        patient = document.metadata.get(self.settings.patient_field or "") or None
        done = self.deidentifier.deidentify(document, patient=patient)
        self.result.documents += 1
        self.result.characters += len(document.text)
        self.result.identifiers.update(one.kind for one in (*done.found, *done.beside_text))
        if self.mapping is not None:
            self.mapping.writelines(_mapping_lines(document, done))
        return done.document


def _mapping_lines(document: Document, done: Deidentified) -> Iterator[str]:
    values_of = {field.path: field.value for field in fields_of(document)}
    for one in (*done.found, *done.beside_text):
        original = values_of[one.field][one.start : one.end]
        values = {"document": document.id, **asdict(one), "original": original}
        yield json.dumps(values, ensure_ascii=False) + "\n"


@contextmanager
def _private_file(path: Path) -> Iterator[IO[str]]:
    """A new file that only its owner may read, there when it is whole."""
    with temporary_sibling(path) as unfinished:
        unfinished.unlink(missing_ok=True)
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            yield stream
        os.replace(unfinished, path)


def _mapping(path: Path | None) -> AbstractContextManager[IO[str] | None]:
    return nullcontext() if path is None else _private_file(path)
