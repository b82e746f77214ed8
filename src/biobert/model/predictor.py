"""A network as a predictor: windows in, logits out, on any device."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn

from biobert.core.batching import cut_outputs, length_sorted_batches, window_arrays
from biobert.core.errors import BadInputError
from biobert.core.task import HeadSpec, Outputs, Predictor, Window
from biobert.model.attention import take_kernels_for_any_shape
from biobert.model.generation import load_text_predictor, text_predictor
from biobert.model.hub import load_encoder, load_trained_network
from biobert.model.network import Network
from biobert.model.torch_settings import TorchSettings
from biobert.model.weights import fill_language_model
from biobert.text.tokenizer import Tokenizer

TOKEN_BUDGET = 4096


def load_predictor(
    folder: Path,
    heads: Sequence[HeadSpec],
    settings: TorchSettings = TorchSettings(),
    *,
    bases: dict[str, nn.Module] | None = None,
) -> Predictor:
    """The predictor of a trained model folder; adapters of the same `bases` share their weights."""
    if any(head.kind == "text" for head in heads):
        return load_text_predictor(
            folder,
            heads[0],
            device=_chosen_device(settings),
            precision=settings.precision,
            token_budget=settings.token_budget,
        )
    return torch_predictor(load_trained_network(folder, heads, bases=bases), settings)


def load_encoder_predictor(
    folder: Path,
    heads: Sequence[HeadSpec],
    settings: TorchSettings = TorchSettings(),
) -> "TorchPredictor":
    """The predictor of any encoder's folder, for heads that have nothing to learn."""
    return torch_predictor(Network(load_encoder(folder), heads).eval(), settings)


def predictor_of(network: Network, tokenizer: Tokenizer, device: torch.device) -> Predictor:
    """The predictor of a network in training."""
    if any(spec.kind == "text" for spec in network.specs):
        return text_predictor(network, tokenizer, device)
    return TorchPredictor(network, device=device)


def load_language_model(
    folder: Path,
    heads: Sequence[HeadSpec],
    settings: TorchSettings = TorchSettings(),
) -> "TorchPredictor":
    """The predictor of a BERT folder that carries a masked language model."""
    network = Network(load_encoder(folder), heads).eval()
    fill_language_model(network, folder)
    return torch_predictor(network, settings)


def torch_predictor(network: Network, settings: TorchSettings) -> "TorchPredictor":
    """The predictor of a network, moved to where it is to run."""
    device = _chosen_device(settings)
    return TorchPredictor(
        network.to(device),
        device=device,
        precision=settings.precision,
        token_budget=settings.token_budget or TOKEN_BUDGET,
    )


class TorchPredictor:
    """Predicts windows in batches of similar length, without gradients or dropout."""

    def __init__(
        self,
        network: Network,
        *,
        device: torch.device,
        precision: Literal["float32", "bf16"] = "float32",
        token_budget: int = TOKEN_BUDGET,
    ) -> None:
        self.precision = precision
        self.network = network
        self.device = device
        self.token_budget = token_budget

    @property
    def maximum_positions(self) -> int:
        """The longest window it takes."""
        return self.network.maximum_positions

    def predict(self, windows: Sequence[Window]) -> list[Outputs]:
        """Logits by head for each window, cut to its own length."""
        outputs: list[Outputs] = [{} for _ in windows]
        was_training = self.network.training
        self.network.eval()
        lengths = [len(window) for window in windows]
        # Not inference mode: sharded weights are gathered in place, and trained on afterwards.
        with torch.no_grad(), self._autocast():
            for batch in length_sorted_batches(lengths, token_budget=self.token_budget):
                numbers = batch.tolist()
                logits = self._logits([windows[number] for number in numbers])
                for row, number in enumerate(numbers):
                    outputs[number] = cut_outputs(self.network.specs, logits, row, lengths[number])
        self.network.train(was_training)
        return outputs

    def _logits(self, windows: Sequence[Window]) -> dict[str, np.ndarray]:
        arrays = window_arrays(windows)
        tensors = {name: torch.from_numpy(one).to(self.device) for name, one in arrays.items()}
        logits = self.network(
            tensors["token_ids"],
            tensors["segment_ids"],
            None if arrays["mask"].all() else tensors["mask"],
            marks=tensors.get("marks"),
        )
        return {name: value.float().cpu().numpy() for name, value in logits.items()}

    def _autocast(self) -> torch.autocast:
        enabled = self.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)


def _chosen_device(settings: TorchSettings) -> torch.device:
    """The device; torch is told how many threads, and which kernels, to take there."""
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    take_kernels_for_any_shape()
    return torch_device(settings.device)


def torch_device(name: str | None) -> torch.device:
    """The device of that name; without one a GPU where there is one."""
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        raise BadInputError(
            f"no such device: {name!r}; write cpu, cuda or cuda:NUMBER", code="usage"
        ) from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise BadInputError(f"device {name!r}: no GPU that torch can use is here", code="usage")
    return device
