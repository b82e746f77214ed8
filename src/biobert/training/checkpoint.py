"""Checkpoints: all that a run needs to go on as if it had never stopped, without pickle.

No random state is kept: the loop seeds every batch from (seed, process, epoch, batch).
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import DISK
from biobert.model.network import Network
from biobert.model.tensors import write_tensors
from biobert.training.method import Methods
from biobert.training.parallel import like, whole

STATE = "state.json"
NETWORK = "network.safetensors"
OPTIMIZER = "optimizer.safetensors"
METHODS = "methods.safetensors"
RETIRED = ".old"


@dataclass(slots=True)
class Progress:
    """Where the run stands. `batch` counts the batches of this epoch that a process has behind it.

    `epoch_step` is the step at which the epoch began; scores are counted from 1. Patience counts
    from `best_evaluation`, whose `patient_score` was the last that gained enough. `scaler` is that
    of the gradients in fp16.
    """

    processes: int = 1
    epoch: int = 0
    epoch_step: int = 0
    batch: int = 0
    step: int = 0
    evaluations: int = 0
    best_score: float | None = None
    best_evaluation: int | None = None
    patient_score: float | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    scaler: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class RunState:
    """The tensors of a run, whole, whatever they are spread over."""

    network: dict[str, torch.Tensor]
    optimizer: dict[str, torch.Tensor]
    methods: dict[str, torch.Tensor]


def run_state(network: nn.Module, optimizer: torch.optim.Optimizer, methods: Methods) -> RunState:
    """The tensors as they are now; every process must call it."""
    return RunState(
        whole(network.state_dict()), whole(_optimizer_tensors(optimizer)), whole(methods.state())
    )


def save_checkpoint(
    folder: Path,
    progress: Progress,
    state: RunState,
    *,
    recipe: Mapping[str, Any],
    keep_every_steps: int | None = None,
    complete: Callable[[Path], object] | None = None,
) -> Path:
    """Write `folder/step-N` whole or not at all, then drop older ones.

    One of every `keep_every_steps` stays; `complete` adds what this one is to hold beside the
    state. A disk that is full leaves the last one as it was.
    """
    place = folder / f"step-{progress.step:08d}"
    unfinished = folder / f".{place.name}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        _write(unfinished, progress, state, recipe)
        if complete is not None:
            complete(unfinished)
    except (OSError, BiobertError) as problem:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise BiobertError(
            f"{problem}; the checkpoints before {place.name} are as they were: go on from them "
            "with --resume",
            code=DISK,
        ) from None
    if place.exists():
        _retire(place)
    os.replace(unfinished, place)
    for older in checkpoints(folder):
        if older != place and not _stays(older, keep_every_steps):
            shutil.rmtree(older, ignore_errors=True)
    return place


def checkpoints(folder: Path) -> list[Path]:
    """The complete checkpoints of a run, oldest first."""
    return sorted(folder.glob("step-*"), key=lambda place: (place.stem, place.suffix != RETIRED))


def is_kept(step: int, every: int | None) -> bool:
    """Whether the checkpoint of a step stays when later ones come."""
    return every is not None and step % every == 0


def load_checkpoint(
    place: Path,
    *,
    network: Network,
    optimizer: torch.optim.Optimizer,
    methods: Methods,
    recipe: dict[str, Any],
    processes: int,
) -> Progress:
    """Put network, optimizer and methods back, and say where the run stood."""
    state = _read_state(place / STATE)
    progress = Progress(**state["progress"])
    _check_recipe(state["recipe"], recipe, place)
    if progress.processes != processes:
        raise BadInputError(
            f"{place} is of a run on {progress.processes} processes, this one has {processes}: "
            "they share the data in another way; resume with as many, or train into another "
            "--output"
        )
    load_network(network, place / NETWORK)
    _restore_optimizer(optimizer, _read_tensors(place / OPTIMIZER))
    if (place / METHODS).is_file():
        methods.restore(network, _read_tensors(place / METHODS))
    return progress


def load_network(network: nn.Module, path: Path) -> None:
    """Put whole weights into a network, however it is spread."""
    wanted = network.state_dict()
    found = {name: like(value, wanted[name]) for name, value in _read_tensors(path).items()}
    network.load_state_dict(found)


def _read_state(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise _damaged(path, problem) from None
    if not isinstance(state, dict) or not {"progress", "recipe"} <= state.keys():
        raise _damaged(path, "it is no state of a run")
    return state


def _read_tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
    except (OSError, SafetensorError) as problem:
        raise _damaged(path, problem) from None
    return tensors


def _damaged(path: Path, problem: object) -> BadInputError:
    return BadInputError(
        f"{path} is damaged ({problem}): remove {path.parent} and resume from the checkpoint "
        "before, if one was kept, or train anew"
    )


def _write(folder: Path, progress: Progress, state: RunState, recipe: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True)
    write_tensors(state.network, folder / NETWORK)
    write_tensors(state.optimizer, folder / OPTIMIZER)
    if state.methods:
        write_tensors(state.methods, folder / METHODS)
    values = {"progress": asdict(progress), "recipe": recipe}
    (folder / STATE).write_text(json.dumps(values), encoding="utf-8")


def _retire(place: Path) -> None:
    """Step aside for a later checkpoint of the same step: a kill in between must find one."""
    retired = place.with_suffix(RETIRED)
    shutil.rmtree(retired, ignore_errors=True)
    os.replace(place, retired)


def _stays(place: Path, every: int | None) -> bool:
    return place.suffix != RETIRED and is_kept(int(place.name.removeprefix("step-")), every)


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    tensors = {}
    for number, parameter in enumerate(_parameters(optimizer)):
        for name, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{number}.{name}"] = torch.as_tensor(value).detach().clone()
    return tensors


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    parameters = _parameters(optimizer)
    for key, tensor in tensors.items():
        number, name = key.split(".", 1)
        parameter = parameters[int(number)]
        model = parameter.detach()
        # Fused AdamW counts its steps on the device of the moments, but never sharded as they are.
        home = tensor.to(model.device) if name == "step" else like(tensor, model)
        optimizer.state[parameter][name] = home


def _check_recipe(saved: dict[str, Any], wanted: dict[str, Any], place: Path) -> None:
    wanted = json.loads(json.dumps(wanted))
    changed = [key for key in sorted({*saved, *wanted}) if saved.get(key) != wanted.get(key)]
    if changed:
        raise BadInputError(
            f"{place}: the recipe changed in {', '.join(changed)}; resume with the same recipe, "
            "or train into another --output"
        )
