"""Thresholds of models that were joined: what the models agree on, else chosen anew on devel."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.model_folder import (
    MANIFEST,
    THRESHOLDS,
    TUNED,
    ModelManifest,
    read_manifest,
    settings_without,
)
from biobert.core.settings import from_mapping
from biobert.data.places import CorpusPlaces
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.learnt_from import learnt_from, read_at_hand
from biobert.pipeline.load import load_model
from biobert.tasks import build_task
from biobert.text.keys import keys_of, text_key
from biobert.training.corpora import source_name
from biobert.training.recipe import DataSource

LEAST_UNSEEN = 0.1
"""Share of the devel documents that no model has learnt from: fewer choose thresholds by chance."""


def devel_where_thresholds_differ(models: Sequence[Path], places: CorpusPlaces) -> list[Document]:
    """What new thresholds are chosen on: the devel sets of all the models' recipes, but for what
    any of the models has learnt from.

    Nothing where the models' thresholds are the same. Raises BadInputError where a devel set is not
    on this machine, for a threshold of one model's probabilities means nothing in those of another;
    and where too little of them is left.
    """
    manifests = [read_manifest(model) for model in models]
    if all(_thresholds(one) == _thresholds(manifests[0]) for one in manifests):
        return []
    devel = _devel(manifests, places)
    # What a model has learnt from it is too sure of.
    learnt = keys_of(learnt_from(*manifests, places=places).documents)
    unseen = [one for one in devel if text_key(one.text) not in learnt]
    if len(unseen) < LEAST_UNSEEN * len(devel):
        seen = len(devel) - len(unseen)
        raise _no_devel(f"some model has learnt from {seen} of the {len(devel)} documents there")
    return unseen


def _devel(manifests: Sequence[ModelManifest], places: CorpusPlaces) -> list[Document]:
    tables = [table for one in manifests for table in one.recipe.get("data", {}).get("devel", ())]
    sources = [from_mapping(DataSource, table, place=MANIFEST) for table in tables]
    distinct = {repr(source): source for source in sources}.values()
    found = {source_name(one): read_at_hand(one, places) for one in distinct}
    missing = [name for name, documents in found.items() if documents is None]
    if missing:
        name = ", ".join(missing)
        raise _no_devel(f"{name} is not on this machine (`biobert data get NAME` fetches a corpus)")
    if not found:
        raise _no_devel("none is named")
    return [document for documents in found.values() for document in documents or ()]


def _no_devel(problem: str) -> BadInputError:
    return BadInputError(
        f"the models' thresholds differ, and are chosen anew on devel: {problem}; a vote "
        "(`biobert ensemble --rule vote`) needs none"
    )


def with_thresholds_from(folder: Path, devel: Sequence[Document]) -> ModelManifest:
    """Choose the thresholds of the model in `folder` on these documents, as after training; writes
    and gives its manifest."""
    model = load_model(folder)
    bare = build_task(model.task.name, settings_without(model.task.settings(), THRESHOLDS))
    predicted = Annotator(replace(model, task=bare.weighing())).annotate_many(devel)
    manifest = replace(model.manifest, task_settings=bare.tuned(devel, predicted).settings())
    manifest.write(folder)
    return manifest


def _thresholds(manifest: ModelManifest) -> dict[str, Any]:
    settings = build_task(manifest.task, manifest.task_settings).settings()
    return settings_without(settings, set(TUNED) - set(THRESHOLDS))
