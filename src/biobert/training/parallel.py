"""A network on several processes: copied to each (DDP) or sharded over them (FSDP2)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from biobert.core.errors import BadInputError, BiobertError
from biobert.model.attention import take_kernels_for_any_shape
from biobert.model.encoder import Encoder
from biobert.model.layer import EncoderLayer
from biobert.model.network import Network
from biobert.training.recipe import RunSettings
from biobert.training.tracking import check_trackers

Parallel = Literal["ddp", "fsdp"]


def build_accelerator(run: RunSettings, output: Path) -> Accelerator:
    """Devices, precision and trackers of a run; its logs go under `output`."""
    check_trackers(run.trackers)
    if run.precision == "fp16" and not torch.cuda.is_available():
        raise BiobertError("run.precision = 'fp16' needs a GPU; on a CPU use 'bf16' or 'float32'")
    take_kernels_for_any_shape()
    # Accelerate keeps the precision of a process's first run; a later run has its own.
    AcceleratorState._reset_state()
    precision = {"float32": "no"}.get(run.precision, run.precision)
    return Accelerator(
        # Told so, processes without a GPU join over gloo; untold, each would train alone.
        cpu=not torch.accelerator.is_available(),
        mixed_precision=precision,
        log_with=list(run.trackers) or None,
        project_dir=str(output / "logs"),
    )


def take_threads(count: int) -> None:
    """Compute in so many threads, where several processes share the cores."""
    torch.set_num_threads(count)


def check_one_process(what: str) -> None:
    """An error under torchrun: one process would clear the folders that another still reads."""
    if torch.distributed.is_torchelastic_launched():
        raise BadInputError(f"{what} runs in one process: start it without torchrun", code="usage")


def spread(network: Network, accelerator: Accelerator, parallel: Parallel) -> nn.Module:
    """The network on this process's device, under the accelerator's precision.

    Sharding is torch's own FSDP2, each encoder layer a unit: accelerate offers it on GPUs alone.
    """
    if parallel == "ddp" or accelerator.num_processes == 1:
        prepared: nn.Module = accelerator.prepare(network)
        return prepared
    if not isinstance(network.encoder, Encoder):
        raise BadInputError("run.parallel = 'fsdp' needs a BERT encoder (model_type 'bert')")
    placed: nn.Module = accelerator.prepare_model(network, evaluation_mode=True)
    for module in placed.modules():
        if isinstance(module, EncoderLayer):
            fully_shard(module)
    fully_shard(placed)
    return placed


def compile_layers(network: Network) -> None:
    """Let torch compile the encoder's layers, all from one program; another encoder whole."""
    layers: list[nn.Module] = [one for one in network.modules() if isinstance(one, EncoderLayer)]
    for module in layers or [network]:
        module.compile()


def gathered(network: Network) -> Network:
    """The network with whole weights: itself, or a copy if it is sharded; every process calls."""
    return unsharded(network, whole(network.state_dict()))


def unsharded(network: Network, tensors: Mapping[str, torch.Tensor]) -> Network:
    """The network, or if it is sharded a copy with its whole tensors, which the caller has."""
    if not any(isinstance(one, DTensor) for one in network.parameters()):
        return network
    assert isinstance(network.encoder, Encoder)
    with torch.device("meta"):
        plain = Network(Encoder(network.encoder.settings), network.specs)
    plain.load_state_dict({name: one.cpu() for name, one in tensors.items()}, assign=True)
    return plain


def whole(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors, shards put together; every process must call it."""
    return {
        name: value.full_tensor() if isinstance(value, DTensor) else value
        for name, value in tensors.items()
    }


def like(tensor: torch.Tensor, model: torch.Tensor) -> torch.Tensor:
    """A whole tensor, on the device of `model` and sharded as it is."""
    if isinstance(model, DTensor):
        placed = tensor.to(model.device)
        return distribute_tensor(placed, model.device_mesh, model.placements)
    return tensor.to(model.device)
