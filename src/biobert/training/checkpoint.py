"""Checkpoints: all that a run needs to go on as if it had never stopped, without pickle.

No random state is kept: the loop seeds every batch from (seed, process, step).
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from biobert.core.errors import BadInputError

STATE = "state.json"
NETWORK = "network.safetensors"
OPTIMIZER = "optimizer.safetensors"


@dataclass(slots=True)
class Progress:
    """Where the run stands. `batch` counts the batches of this epoch that are behind it."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best_score: float | None = None
    best_epoch: int | None = None
    history: list[dict[str, Any]] = field(default_factory=list)


def save_checkpoint(
    folder: Path,
    progress: Progress,
    *,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    recipe: dict[str, Any],
) -> Path:
    """Write `folder/step-N` whole or not at all, then drop the older ones."""
    place = folder / f"step-{progress.step:08d}"
    unfinished = folder / f".{place.name}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    save_file(_contiguous(network.state_dict()), unfinished / NETWORK)
    save_file(_optimizer_tensors(optimizer), unfinished / OPTIMIZER)
    state = {"progress": asdict(progress), "recipe": recipe}
    (unfinished / STATE).write_text(json.dumps(state), encoding="utf-8")
    shutil.rmtree(place, ignore_errors=True)
    os.replace(unfinished, place)
    for older in checkpoints(folder):
        if older != place:
            shutil.rmtree(older, ignore_errors=True)
    return place


def checkpoints(folder: Path) -> list[Path]:
    """The complete checkpoints of a run, oldest first."""
    return sorted(folder.glob("step-*")) if folder.is_dir() else []


def load_checkpoint(
    place: Path,
    *,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    recipe: dict[str, Any],
    device: torch.device,
) -> Progress:
    """Put network and optimizer back, and say where the run stood."""
    state = json.loads((place / STATE).read_text(encoding="utf-8"))
    _check_recipe(state["recipe"], recipe, place)
    network.load_state_dict(load_file(place / NETWORK, device=str(device)))
    _restore_optimizer(optimizer, load_file(place / OPTIMIZER))
    return Progress(**state["progress"])


def _contiguous(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().contiguous() for name, tensor in tensors.items()}


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    tensors = {}
    for number, parameter in enumerate(_parameters(optimizer)):
        for name, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{number}.{name}"] = torch.as_tensor(value).detach().clone().contiguous()
    return tensors


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    parameters = _parameters(optimizer)
    for key, tensor in tensors.items():
        number, name = key.split(".", 1)
        parameter = parameters[int(number)]
        # AdamW counts its steps on the CPU, whatever the device of the moments.
        home = tensor if name == "step" else tensor.to(parameter.device)
        optimizer.state[parameter][name] = home


def _check_recipe(saved: dict[str, Any], wanted: dict[str, Any], place: Path) -> None:
    changed = [key for key in wanted if saved.get(key) != json.loads(json.dumps(wanted[key]))]
    if changed:
        raise BadInputError(
            f"{place}: the recipe changed in {', '.join(changed)}; resume with the same recipe, "
            "or train into another --output"
        )
