"""What a model has learnt from, as far as it is on this machine."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from biobert.core.document import Document
from biobert.core.errors import BiobertError
from biobert.core.model_folder import MANIFEST, ModelManifest, read_manifest
from biobert.core.settings import from_mapping
from biobert.data.catalogue import load_corpus, local_split
from biobert.data.rejects import Rejects
from biobert.evaluation.overlap import Training
from biobert.training.corpora import read_sources, source_name
from biobert.training.recipe import DataSource


def learnt_from(manifest: ModelManifest, *, data_root: Path | None, cache: Path) -> Training:
    """The documents that the recipes behind a model name. Nothing is fetched for it."""
    documents: list[Document] = []
    sources: list[str] = []
    missing: list[str] = []
    for source in _sources(manifest.recipe):
        found = read_at_hand(source, data_root=data_root, cache=cache)
        (missing if found is None else sources).append(source_name(source))
        documents += found or ()
    return Training(documents, tuple(sources), tuple(missing))


def _sources(recipe: Mapping[str, Any]) -> list[DataSource]:
    """What the recipes behind a model read, labelled or not; each once."""
    tables = (
        table
        for one in _recipes(recipe)
        if one.get("task", {}).get("name") != "pretraining"
        for table in (
            *one.get("data", {}).get("train", ()),
            *one.get("self_training", {}).get("unlabelled", ()),
        )
    )
    sources = (replace(from_mapping(DataSource, one, place=MANIFEST), times=1) for one in tables)
    return list({repr(source): source for source in sources}.values())


def _recipes(recipe: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A recipe and those behind it: of models that were joined, of the one that it began from, and
    of its teacher."""
    waiting, seen = [recipe], set[str]()
    while waiting:
        one = waiting.pop()
        yield one
        waiting += one.get("averaged", ())
        waiting += (member["recipe"] for member in one.get("members", ()))
        before = {one.get("model", {}).get("encoder"), one.get("distillation", {}).get("teacher")}
        for folder in filter(None, before - seen):
            seen.add(folder)
            if (Path(folder) / MANIFEST).is_file():
                waiting.append(read_manifest(Path(folder)).recipe)


def read_at_hand(source: DataSource, **roots: Any) -> list[Document] | None:
    """The documents of a source, None where it is not on this machine. Nothing is fetched."""
    try:
        if not _is_here(source, **roots):
            return None
        found = read_sources((source,), rejects=Rejects(), **roots)
    except BiobertError:
        return None
    return [document for some in found.values() for document in some]


def _is_here(source: DataSource, **roots: Any) -> bool:
    if Path(source.corpus).exists():
        return True
    corpus = load_corpus(source.corpus)
    return all(
        split in corpus.splits and local_split(corpus, split, **roots) is not None
        for split in source.splits
    )
