"""An ensemble as a model folder: its members inside it, and a manifest that says how they join."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from biobert.core.errors import BadInputError
from biobert.core.model_folder import (
    CARD,
    CONFIG,
    MANIFEST,
    PRIOR,
    THRESHOLDS,
    ModelManifest,
    check_free,
    check_same_answers,
    put_in_place,
    read_manifest,
    settings_without,
    unfinished_folder,
)
from biobert.data.places import CorpusPlaces
from biobert.pipeline.load import model_folder
from biobert.pipeline.thresholds import devel_where_thresholds_differ, with_thresholds_from
from biobert.runtime.ensemble import Rule, check_joinable
from biobert.tasks import build_task

SHARED = ("tokenizer.json", "tokenizer_config.json")
MODEL_FILES = (MANIFEST, CONFIG, CARD, "model*", "decoder*", "heads.*", "adapter.*", "tokenizer*")
"""What a model is made of; what its training left beside it stays behind."""


def write_ensemble(
    models: Sequence[Path], output: Path, *, name: str, rule: Rule, places: CorpusPlaces
) -> ModelManifest:
    """Write `output` with copies of the models; it is used like any other model folder.

    Members correct their own probabilities, and vote by their own thresholds, so that the task of
    the ensemble does neither. Thresholds of a mean are the members' own where these are the same,
    else chosen anew.
    Raises BadInputError for fewer than two models, when tasks, labels or tokenizers differ, and
    where answers cannot be joined, or there is nothing to choose thresholds on.
    """
    if len(models) < 2:
        raise BadInputError("an ensemble needs at least two model folders", code="usage")
    check_free(output)
    models = [model_folder(model) for model in models]
    check_same_answers(models)
    names = tuple(f"member-{number}" for number in range(1, len(models) + 1))
    manifests = [read_manifest(model) for model in models]
    recipe = {**manifests[0].recipe, "name": name, "members": [asdict(one) for one in manifests]}
    done_by_members = (PRIOR, *THRESHOLDS) if rule == "vote" else (PRIOR,)
    settings = settings_without(manifests[0].task_settings, done_by_members)
    check_joinable(build_task(manifests[0].task, settings).heads(), rule)
    devel = [] if rule == "vote" else devel_where_thresholds_differ(models, places)
    manifest = replace(
        manifests[0],
        name=name,
        task_settings=settings,
        recipe=recipe,
        members=names,
        rule=rule,
        metrics={},
    )
    with unfinished_folder(output) as folder:
        for model, member in zip(models, names, strict=True):
            _copy_model(model, folder / member)
        for file in SHARED:
            shutil.copyfile(models[0] / file, folder / file)
        manifest.write(folder)
        if devel:
            manifest = with_thresholds_from(folder, devel)
        put_in_place(folder, output)
    return manifest


def _copy_model(model: Path, output: Path) -> None:
    """A copy of what the model is, and of its members where it is an ensemble."""
    output.mkdir()
    files = (path for pattern in MODEL_FILES for path in model.glob(pattern) if path.is_file())
    for path in files:
        shutil.copyfile(path, output / path.name)
    for member in read_manifest(model).members:
        _copy_model(model / member, output / member)
