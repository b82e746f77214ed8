"""How much each layer, attention head and feed-forward neuron matters for what a model has learnt.

Each part is thought to stand behind a gate of 1, and the gradient of an example's loss at the gate
says to first order what closing it would cost. Heads: its absolute value (Michel et al. 2019,
arXiv:1905.10650, equation 2). Neurons and layers: its square (Molchanov et al. 2019,
arXiv:1906.10771, equation 8); the gate of a layer lies between its inputs and its outputs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import nn

from biobert.core.task import HeadSpec
from biobert.model.encoder import Encoder
from biobert.model.heads import head_loss
from biobert.model.layer import EncoderLayer
from biobert.model.network import Network
from biobert.training.batches import Row, collate, network_logits


@dataclass(frozen=True, slots=True, eq=False)
class PartImportance:
    """The mean over examples: (layers,), (layers, heads) and (layers, neurons)."""

    layers: torch.Tensor
    heads: torch.Tensor
    neurons: torch.Tensor


def part_importance(network: Network, rows: Sequence[Row], *, pad_id: int) -> PartImportance:
    """Weigh the parts of our encoder by the losses of some rows, one at a time."""
    encoder = cast(Encoder, network.encoder)
    settings = encoder.settings
    network.eval()
    layers = torch.zeros(settings.layers)
    heads = torch.zeros(settings.layers, settings.heads)
    neurons = torch.zeros(settings.layers, settings.intermediate_size)
    for row in rows:
        with _watched(encoder) as seen:
            _loss(network, row, pad_id).backward()  # type: ignore[no-untyped-call]
        for number in range(settings.layers):
            of_heads = _slopes(seen.contexts[number]).view(settings.heads, -1).sum(dim=1)
            heads[number] += of_heads.abs() / len(rows)
            neurons[number] += _slopes(seen.neurons[number]).square() / len(rows)
            layers[number] += _slope_of_layer(*seen.layers[number]).square() / len(rows)
        network.zero_grad()
    return PartImportance(layers, heads, neurons)


@dataclass(slots=True)
class _Seen:
    """Of each layer its input and output, what its heads read, and its neurons' activations."""

    layers: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)
    contexts: list[torch.Tensor] = field(default_factory=list)
    neurons: list[torch.Tensor] = field(default_factory=list)


@contextmanager
def _watched(encoder: Encoder) -> Iterator[_Seen]:
    """Inside, what passes through the encoder is kept, and its gradient with it."""
    seen = _Seen()

    def into(kept: list[torch.Tensor]) -> Callable[..., None]:
        def keep(module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
            inputs[0].retain_grad()
            kept.append(inputs[0])

        return keep

    def keep_layer(module: nn.Module, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        output.retain_grad()
        seen.layers.append((inputs[0].detach(), output))

    with ExitStack() as hooks:
        for layer in encoder.layers:
            assert isinstance(layer, EncoderLayer)
            attention, feed_forward = layer.attention.output, layer.feed_forward.contract
            for handle in (
                attention.register_forward_pre_hook(into(seen.contexts)),
                feed_forward.register_forward_pre_hook(into(seen.neurons)),
                layer.register_forward_hook(keep_layer),
            ):
                hooks.callback(handle.remove)
        yield seen


def _loss(network: Network, row: Row, pad_id: int) -> torch.Tensor:
    specs: Sequence[HeadSpec] = network.specs
    batch = collate([row], specs, pad_id=pad_id)
    logits = network_logits(network, batch)
    losses = [head_loss(spec, logits[spec.name], batch.targets[spec.name]) for spec in specs]
    return torch.stack(losses).sum()


def _slopes(values: torch.Tensor) -> torch.Tensor:
    """(rows, length, size) to (size,): the slope of the loss at a gate of each."""
    assert values.grad is not None
    return (values.detach() * values.grad).sum(dim=(0, 1))


def _slope_of_layer(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    assert after.grad is not None
    return ((after.detach() - before) * after.grad).sum()


def most_important(importance: torch.Tensor, count: int) -> list[int]:
    """The numbers of the `count` highest, in order of number."""
    return sorted(torch.topk(importance, count).indices.tolist())
