"""An ensemble as a model folder: its members inside it, and a manifest that says how they join."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from biobert.core.errors import BadInputError
from biobert.core.model_folder import (
    ModelManifest,
    check_same_answers,
    put_in_place,
    read_manifest,
    unfinished_folder,
)
from biobert.runtime.ensemble import Rule

SHARED = ("tokenizer.json", "tokenizer_config.json")
LEFT_BEHIND = shutil.ignore_patterns("checkpoints", "logs", "reports", "curves.png", "*.jsonl")


def write_ensemble(models: Sequence[Path], output: Path, *, name: str, rule: Rule) -> ModelManifest:
    """Write `output` with copies of the models; it is used like any other model folder.

    Raises BadInputError for fewer than two models, or when tasks, labels or tokenizers differ.
    """
    if len(models) < 2:
        raise BadInputError("an ensemble needs at least two model folders", code="usage")
    if output.exists():
        raise BadInputError(f"{output} exists; choose another --output")
    check_same_answers(models)
    names = tuple(f"member-{number}" for number in range(1, len(models) + 1))
    manifests = [read_manifest(model) for model in models]
    recipe = {**manifests[0].recipe, "name": name, "members": [asdict(one) for one in manifests]}
    manifest = replace(manifests[0], name=name, recipe=recipe, members=names, rule=rule, metrics={})
    with unfinished_folder(output) as folder:
        for model, member in zip(models, names, strict=True):
            shutil.copytree(model, folder / member, ignore=LEFT_BEHIND)
        for file in SHARED:
            shutil.copyfile(models[0] / file, folder / file)
        manifest.write(folder)
        put_in_place(folder, output)
    return manifest
