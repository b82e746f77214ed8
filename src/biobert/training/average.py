"""The uniform average of models that were fine-tuned from one encoder: a model soup.

Wortsman et al. 2022 (arXiv:2203.05482): runs that differ in seed, data order or settings average to
a model that is often better than each of them, at the cost of one.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from biobert.core.errors import BadInputError
from biobert.core.model_folder import (
    PRIOR,
    TUNED,
    WEIGHTS,
    ModelManifest,
    check_free,
    check_same_answers,
    read_manifest,
)
from biobert.model.adaptation import read_adaptation
from biobert.model.hub import HEADS
from biobert.model.tensors import read_file
from biobert.model.weights import read_tensors
from biobert.training.folder import package_versions, write_changed_folder


def average_models(models: Sequence[Path], output: Path, *, name: str) -> ModelManifest:
    """Write `output` with the mean of the models' weights, and the first one's task and tokenizer.

    Its thresholds are the first one's too: pipeline/averaging.py chooses others where they differ.
    Raises BadInputError for fewer than two models, where `output` exists, or when labels,
    tokenizers, shapes or the share of negatives that was learnt from differ: what corrects one mean
    of weights for two such shares is not known.
    """
    if len(models) < 2:
        raise BadInputError("an average needs at least two model folders", code="usage")
    check_free(output)
    for model in models:
        if read_adaptation(model) is not None:
            raise BadInputError(f"{model} is an adapter; make it a model with `biobert merge`")
    check_same_answers(models, free=set(TUNED) - {PRIOR})
    manifests = [read_manifest(model) for model in models]
    manifest = _manifest(manifests, name)
    tensors = {WEIGHTS: _mean(models, read_tensors)}
    if (models[0] / HEADS).is_file():
        tensors[HEADS] = _mean(models, lambda folder: read_file(folder / HEADS))
    write_changed_folder(output, models[0], tensors, manifest)
    return manifest


def _mean(
    models: Sequence[Path], read: Callable[[Path], dict[str, torch.Tensor]]
) -> dict[str, torch.Tensor]:
    total = read(models[0])
    for model in models[1:]:
        tensors = read(model)
        if more := sorted(tensors.keys() - total.keys()):
            raise BadInputError(f"{model} has {more[0]!r}, which {models[0]} has not")
        for tensor_name, sum_so_far in total.items():
            found = tensors.get(tensor_name)
            if found is None or found.shape != sum_so_far.shape:
                raise BadInputError(f"{model}: no {tensor_name!r} of shape {sum_so_far.shape}")
            sum_so_far += found
    return {tensor_name: value / len(models) for tensor_name, value in total.items()}


def _manifest(manifests: Sequence[ModelManifest], name: str) -> ModelManifest:
    recipes = [dict(manifest.recipe) for manifest in manifests]
    data = {source: what for manifest in manifests for source, what in manifest.data.items()}
    return replace(
        manifests[0],
        name=name,
        recipe={**recipes[0], "name": name, "averaged": recipes},
        data=data,
        metrics={},
        versions=package_versions(),
        learnt_before=tuple(manifest.origin() for manifest in manifests),
    )
