"""Weights between those that training began with and those it ended with.

Wortsman et al. 2022 (arXiv:2109.01903, WiSE-FT): what an encoder knew before and what it has learnt
since lie on one valley floor, and a model between the two is often better than both.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from biobert.core.errors import BadInputError
from biobert.core.model_folder import (
    MANIFEST,
    THRESHOLDS,
    WEIGHTS,
    ModelManifest,
    check_free,
    read_manifest,
    settings_without,
)
from biobert.core.settings import differences
from biobert.model.adaptation import read_adaptation
from biobert.model.weights import bare_name, read_tensors
from biobert.tasks import build_task
from biobert.training.folder import package_versions, write_changed_folder

_LOG = logging.getLogger(__name__)
LAYER = re.compile(r"encoder\.layer\.(\d+)\.")


def interpolate(
    model: Path, start: Path, output: Path, *, share: float, name: str
) -> ModelManifest:
    """Write `output`: the model with `share` of the encoder `start` in its own encoder.

    Heads and whatever the encoder did not have stay as they are. Thresholds hold for the weights
    that they were chosen for: they are left out, and a warning names them. Raises BadInputError
    where the two are not of one shape and vocabulary.
    """
    if not 0.0 < share < 1.0:
        raise BadInputError(f"--share {share}: a number between 0 and 1", code="usage")
    check_free(output)
    if read_adaptation(model) is not None:
        raise BadInputError(f"{model} is an adapter; make it a model with `biobert merge`")
    manifest = _manifest(model, start, share, name)
    tensors = {WEIGHTS: _between(model, start, share)}
    write_changed_folder(output, model, tensors, manifest)
    return manifest


def _manifest(model: Path, start: Path, share: float, name: str) -> ModelManifest:
    own = read_manifest(model)
    between = {"encoder": str(start), "share": share}
    known = (folder for folder in (model, start) if (folder / MANIFEST).is_file())
    return replace(
        own,
        name=name,
        task_settings=_without_thresholds(own, model),
        recipe={**own.recipe, "name": name, "interpolated": between},
        metrics={},
        versions=package_versions(),
        learnt_before=tuple(read_manifest(folder).origin() for folder in known),
    )


def _without_thresholds(own: ModelManifest, model: Path) -> Mapping[str, Any]:
    before = build_task(own.task, own.task_settings).settings()
    after = build_task(own.task, settings_without(before, THRESHOLDS)).settings()
    if dropped := differences(before, after):
        _LOG.warning("%s: left out, as chosen for its own weights: %s", model, "; ".join(dropped))
    return after


def _between(model: Path, start: Path, share: float) -> dict[str, torch.Tensor]:
    before = {bare_name(name): value for name, value in read_tensors(start).items()}
    after = read_tensors(model)
    shared = [name for name in after if name.startswith("bert.") and bare_name(name) in before]
    if not shared:
        raise BadInputError(f"{model} and {start} have no weights of one name; is it its start?")
    if (ours := _depth(after)) != (theirs := _depth(before)):
        raise BadInputError(
            f"{model} has {ours} layers, {start} {theirs}: it did not begin there, or its layers "
            "stand elsewhere since"
        )
    for name in shared:
        old, new = before[bare_name(name)], after[name]
        if old.shape != new.shape:
            raise BadInputError(
                f"{model}: {name!r} has shape {tuple(new.shape)}, in {start} "
                f"{tuple(old.shape)}: it did not begin there, or has another vocabulary since"
            )
        if new.is_floating_point():
            after[name] = torch.lerp(new.float(), old.float(), share)
    return after


def _depth(tensors: Mapping[str, torch.Tensor]) -> int:
    """How many layers the names speak of."""
    found = (LAYER.match(bare_name(name)) for name in tensors)
    return len({match[1] for match in found if match})
