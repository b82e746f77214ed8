"""The documents that a recipe names."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.data.catalogue import read_split
from biobert.training.recipe import DataSource


def read_sources(
    sources: Sequence[DataSource], *, data_root: Path | None, cache: Path
) -> dict[str, list[Document]]:
    """The documents of each source, by corpus and splits (`BC5CDR train+devel`)."""
    documents: dict[str, list[Document]] = {}
    for source in sources:
        found: list[Document] = []
        for split in source.splits:
            found += read_split(source.corpus, split, data_root=data_root, cache=cache)
        documents[f"{source.corpus} {'+'.join(source.splits)}"] = [
            select_labels(document, source) for document in found
        ]
    return documents


def select_labels(document: Document, source: DataSource) -> Document:
    """The document with labels renamed, and only those that the source keeps."""
    entities = [
        replace(entity, label=source.rename.get(entity.label, entity.label))
        for entity in document.entities
    ]
    annotated = [source.rename.get(label, label) for label in document.annotated_labels]
    if source.labels is not None:
        wanted = source.labels
        if annotated and not set(wanted) <= set(annotated):
            missing = sorted(set(wanted) - set(annotated))
            raise BadInputError(
                f"corpus {source.corpus!r} does not annotate {', '.join(missing)}; "
                f"it has {', '.join(annotated)}; mend labels or rename in the recipe"
            )
        entities = [entity for entity in entities if entity.label in wanted]
        annotated = list(wanted)
    return replace(
        document.with_entities(entities), annotated_labels=tuple(dict.fromkeys(annotated))
    )
