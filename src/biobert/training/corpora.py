"""The documents that a recipe names."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256

from biobert.core.document import Document, Provenance
from biobert.core.errors import BadInputError
from biobert.core.shelf import unknown_name
from biobert.core.task import Task
from biobert.data.catalogue import (
    check_renamed,
    documents_where,
    read_split,
    shown_where,
    with_renamed_labels,
)
from biobert.data.formats.jsonl import document_to_json
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.tasks.multitask import PART, Multitask
from biobert.training.recipe import DataSource


def read_sources(
    sources: Sequence[DataSource], places: CorpusPlaces, *, rejects: Rejects
) -> dict[str, list[Document]]:
    """The documents of each source, by its name.

    What cannot be read goes to `rejects`, which `note_set_aside` tells of.
    """
    documents: dict[str, list[Document]] = {}
    for source in sources:
        found: list[Document] = []
        for split in source.splits:
            found += read_split(source.corpus, split, places, rejects=rejects)
        name = source_name(source)
        if name in documents:
            raise named_twice(name)
        if source.rename:
            check_renamed(found, source.rename, corpus=source.corpus)
        meant = documents_where(found, source.where, corpus=source.corpus)
        kept = _share_of(meant, source)
        selected = [select_labels(document, source) for document in kept]
        documents[name] = selected if source.per_label is None else _few(selected, source)
    return documents


def source_name(source: DataSource) -> str:
    """Its part, corpus and splits, and which documents (`BC5CDR train+devel`)."""
    splits, where = "+".join(source.splits), shown_where(source.where)
    return " ".join(filter(None, (source.part, source.corpus, splits, where)))


def note_set_aside(rejects: Rejects, note: Callable[[str], None]) -> None:
    """Say how many records could not be read, if any, and where the first of them stands."""
    if rejects.count:
        first = rejects.kept[0]
        note(
            f"{rejects.count} records were set aside, the first at {first.file}:{first.place}: "
            f"{first.reason}"
        )


def describe(documents: Sequence[Document]) -> str:
    """How much there is of a source, and the checksum of all that it says."""
    entities = sum(len(document.entities) for document in documents)
    sentences = sum(len(document.sentences) for document in documents)
    return (
        f"{len(documents)} documents, {sentences} sentences, {entities} entities; "
        f"sha256 {_checksum(documents)}"
    )


def _checksum(documents: Sequence[Document]) -> str:
    """Of all that the documents say, in whatever file they stand."""
    total = sha256()
    for document in documents:
        values = document_to_json(replace(document, provenance=Provenance()))
        total.update(json.dumps(values, sort_keys=True).encode())
    return total.hexdigest()


def named_twice(name: str) -> BadInputError:
    """The error for a source that stands in a recipe twice."""
    return BadInputError(f"the recipe names {name!r} twice; use times = 2 to weigh it more")


def _share_of(documents: Sequence[Document], source: DataSource) -> list[Document]:
    kept = [document for document in documents if _is_taken(document, source.share)]
    if documents and not kept:
        raise BadInputError(
            f"[data] {source.corpus}: share = {source.share} takes none of {len(documents)} "
            "documents; choose a larger one"
        )
    return kept


def _is_taken(document: Document, share: float) -> bool:
    """The same answer for the same text, whatever else is in the corpus."""
    digest = sha256(f"{document.id}\n{document.text}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32


def _few(documents: Sequence[Document], source: DataSource) -> list[Document]:
    """`per_label` documents of each label, in their old order, always the same for a `draw`."""
    assert source.per_label is not None
    by_label: dict[str, list[int]] = {}
    for number, document in enumerate(documents):
        if len(document.labels) != 1:
            raise BadInputError(
                f"[data] {source.corpus}: per_label draws documents of one label each; document "
                f"{document.id!r} has {len(document.labels)}; use share instead"
            )
        by_label.setdefault(document.labels[0], []).append(number)
    taken: list[int] = []
    for label, numbers in by_label.items():
        if len(numbers) < source.per_label:
            raise BadInputError(
                f"[data] {source.corpus}: per_label = {source.per_label}, but there are only "
                f"{len(numbers)} documents with the label {label!r}"
            )
        numbers.sort(key=lambda number: _lot(documents[number], source.draw or 0))
        taken += numbers[: source.per_label]
    return [documents[number] for number in sorted(taken)]


def _lot(document: Document, draw: int) -> bytes:
    return sha256(f"{draw}\n{document.id}\n{document.text}".encode()).digest()


def select_labels(document: Document, source: DataSource) -> Document:
    """The document with labels renamed, only those that the source keeps, and its part."""
    document = with_renamed_labels(document, source.rename)
    if source.part is not None:
        document = replace(document, metadata={**document.metadata, PART: source.part})
    if source.labels is None:
        return document
    annotated, wanted = document.annotated_labels, source.labels
    if annotated and not set(wanted) <= set(annotated):
        missing = sorted(set(wanted) - set(annotated))
        raise BadInputError(
            f"corpus {source.corpus!r} does not annotate {', '.join(missing)}; "
            f"it has {', '.join(annotated)}; mend labels or rename in the recipe"
        )
    kept = document.with_entities(document.entities_labelled(wanted))
    return replace(kept, annotated_labels=wanted)


def check_parts(sources: Sequence[DataSource], task: Task) -> None:
    """An error unless every source says which part learns from it, where the task has parts."""
    for source in sources:
        if isinstance(task, Multitask):
            if source.part not in task.parts:
                raise BadInputError(
                    f"[data] {source.corpus}: {unknown_name('part', str(source.part), task.parts)}"
                )
        elif source.part is not None:
            raise BadInputError(
                f"[data] {source.corpus}: part = {source.part!r}, but {task.name} has no parts; "
                "task.name = 'multitask' does"
            )
