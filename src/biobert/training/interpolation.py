"""Weights between those that training began with and those it ended with.

Wortsman et al. 2022 (arXiv:2109.01903, WiSE-FT): what an encoder knew before and what it has learnt
since lie on one valley floor, and a model between the two is often better than both.
"""

from dataclasses import replace
from pathlib import Path

import torch

from biobert.core.errors import BadInputError
from biobert.core.model_folder import ModelManifest, read_manifest
from biobert.model.adaptation import read_adaptation
from biobert.model.weights import bare_name, read_tensors
from biobert.training.folder import package_versions, write_changed_folder


def interpolate(
    model: Path, start: Path, output: Path, *, share: float, name: str
) -> ModelManifest:
    """Write `output`: the model with `share` of the encoder `start` in its own encoder.

    Heads and whatever the encoder did not have stay as they are. Raises BadInputError where the
    two are not of one shape and vocabulary.
    """
    if not 0.0 < share < 1.0:
        raise BadInputError(f"--share {share}: a number between 0 and 1", code="usage")
    if output.exists():
        raise BadInputError(f"{output} exists; choose another --output")
    if read_adaptation(model) is not None:
        raise BadInputError(f"{model} is an adapter; make it a model with `biobert merge`")
    manifest = read_manifest(model)
    between = {"encoder": str(manifest.recipe.get("model", {}).get("encoder", "")), "share": share}
    manifest = replace(
        manifest,
        name=name,
        recipe={**manifest.recipe, "name": name, "interpolated": between},
        metrics={},
        versions=package_versions(),
    )
    write_changed_folder(output, model, _between(model, start, share), manifest)
    return manifest


def _between(model: Path, start: Path, share: float) -> dict[str, torch.Tensor]:
    before = {bare_name(name): value for name, value in read_tensors(start).items()}
    after = read_tensors(model)
    shared = [name for name in after if name.startswith("bert.") and bare_name(name) in before]
    if not shared:
        raise BadInputError(f"{model} and {start} have no weights of one name; is it its start?")
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
