"""AdamW with the habits of BERT fine-tuning, and the learning-rate schedules."""

import math
from collections.abc import Callable

import torch
from torch import nn

from biobert.model.network import Network
from biobert.training.recipe import OptimizerSettings, ScheduleSettings


def build_optimizer(network: Network, settings: OptimizerSettings) -> torch.optim.AdamW:
    """AdamW; no decay on biases and norms; frozen weights left out; lower layers may learn slower.

    The layer-wise decay is that of Howard and Ruder 2018 (arXiv:1801.06146), section 3.2.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            rate = _learning_rate(name, network.depth(name), settings)
            decay = 0.0 if _is_free(name, parameter) else settings.weight_decay
            groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": some, "lr": rate, "weight_decay": decay}
            for (rate, decay), some in groups.items()
        ],
        betas=(settings.betas[0], settings.betas[1]),
        eps=settings.epsilon,
        fused=True,
    )


def _is_free(name: str, parameter: nn.Parameter) -> bool:
    """Whether it does not decay: a bias, a norm, or a factor of IA3, whose rest is at 1."""
    return parameter.ndim < 2 or "ia3_" in name


def schedule(settings: ScheduleSettings, *, steps: int) -> Callable[[int], float]:
    """Step number to the factor on the learning rate, for a run of `steps` steps."""
    warmup = round(settings.warmup_fraction * steps)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return _after_warmup(settings, (step - warmup) / max(1, steps - warmup))

    return factor


def _after_warmup(settings: ScheduleSettings, done: float) -> float:
    """The factor when a share `done` of the steps after the warm-up is over."""
    done = min(1.0, done)
    if settings.kind == "linear":
        return 1.0 - done
    if settings.kind == "cosine":
        return 0.5 * (1.0 + math.cos(math.pi * done))
    stable = 1.0 - settings.decay_fraction / (1.0 - settings.warmup_fraction)
    if settings.kind == "constant" or done <= stable:
        return 1.0
    return 1.0 - math.sqrt((done - stable) / (1.0 - stable))


def _learning_rate(name: str, depth: int, settings: OptimizerSettings) -> float:
    if depth == 0 and settings.head_learning_rate is not None:
        return settings.head_learning_rate
    return settings.learning_rate * settings.layer_decay**depth
