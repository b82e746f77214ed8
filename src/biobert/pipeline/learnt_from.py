"""What a model has learnt from, as far as it is on this machine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from biobert.core.document import Document
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.hub import OURS
from biobert.core.model_folder import MANIFEST, ModelManifest, read_manifest
from biobert.core.settings import from_mapping
from biobert.data.catalogue import load_corpus, local_split
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.evaluation.overlap import Training
from biobert.training.corpora import read_sources, source_name
from biobert.training.recipe import DataSource


def learnt_from(*models: ModelManifest, places: CorpusPlaces) -> Training:
    """The documents that the recipes behind one or several models name, those of a compression too.
    Nothing is fetched for it."""
    documents: list[Document] = []
    sources: list[str] = []
    recipes, missing = _behind(models)
    recipes += [one.compression["recipe"] for one in models if "recipe" in one.compression]
    for source in _sources(recipes):
        found = read_at_hand(source, places)
        (missing if found is None else sources).append(source_name(source))
        documents += found or ()
    return Training(documents, tuple(sources), tuple(missing))


def _sources(recipes: Iterable[Mapping[str, Any]]) -> list[DataSource]:
    """What recipes read, labelled or not; each once."""
    tables = (
        table
        for one in recipes
        if one.get("task", {}).get("name") != "pretraining"
        for table in (
            *one.get("data", {}).get("train", ()),
            *one.get("self_training", {}).get("unlabelled", ()),
            *one.get("corpora", ()),
        )
    )
    sources = (replace(from_mapping(DataSource, one, place=MANIFEST), times=1) for one in tables)
    return list({repr(source): source for source in sources}.values())


def _behind(models: Sequence[ModelManifest]) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The models' recipes and those behind each: of models that were joined, of the one that it
    began from, and of its teacher; and in words what cannot be known."""
    waiting, seen, missing = [one.origin() for one in models], set[str](), list[str]()
    recipes: list[Mapping[str, Any]] = []
    while waiting:
        one = waiting.pop()
        recipe, before = one["recipe"], one.get("learnt_before")
        recipes.append(recipe)
        waiting += recipe.get("members", ())
        noted = None if before is None else ()
        waiting += ({"recipe": own, "learnt_before": noted} for own in recipe.get("averaged", ()))
        if before is not None:
            waiting += before
            continue
        for name in _starts(recipe) - seen:
            seen.add(name)
            found = _read_start(name)
            if found is not None:
                waiting.append(found.origin())
            elif not _is_bare_checkpoint(name):
                missing.append(f"what {name} learnt from")
    return recipes, missing


def _starts(recipe: Mapping[str, Any]) -> set[str]:
    """The names of the model that a recipe begins from, and of its teacher."""
    names = {recipe.get("model", {}).get("encoder"), recipe.get("distillation", {}).get("teacher")}
    return set(filter(None, names))


def _read_start(name: str) -> ModelManifest | None:
    folder = Path(name).expanduser()
    try:
        return read_manifest(folder) if (folder / MANIFEST).is_file() else None
    except BadInputError:
        return None


def _is_bare_checkpoint(name: str) -> bool:
    """Whether nothing of ours stands behind it: a folder without a manifest, or what comes with the
    repository, which has learnt from no corpus of the catalogue."""
    folder = Path(name).expanduser()
    return name.startswith(OURS) or (folder.is_dir() and not (folder / MANIFEST).is_file())


def read_at_hand(source: DataSource, places: CorpusPlaces) -> list[Document] | None:
    """The documents of a source, None where it is not on this machine. Nothing is fetched."""
    try:
        if not _is_here(source, places):
            return None
        found = read_sources((source,), places, rejects=Rejects())
    except BiobertError:
        return None
    return [document for some in found.values() for document in some]


def _is_here(source: DataSource, places: CorpusPlaces) -> bool:
    if Path(source.corpus).exists():
        return True
    corpus = load_corpus(source.corpus)
    return all(
        split in corpus.splits and local_split(corpus, split, places) is not None
        for split in source.splits
    )
