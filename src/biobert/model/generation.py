"""An encoder with a decoder on torch."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from biobert.core.errors import BadInputError
from biobert.core.task import FloatArray, HeadSpec, IntArray
from biobert.model.decoder import DecoderHead, encoder_decoder
from biobert.model.encoder import Encoder
from biobert.model.hub import read_weights
from biobert.model.network import Network
from biobert.model.steps import NextPiece, SourceReader
from biobert.text.beam_search import BoolArray
from biobert.text.tokenizer import Tokenizer
from biobert.text.writing import TextPredictor

ROOM = 32
"""So many steps more fit into the memory of what is written each time that it is full."""


def load_text_predictor(
    folder: Path,
    head: HeadSpec,
    *,
    device: torch.device,
    precision: Literal["float32", "bf16"] = "float32",
    token_budget: int | None = None,
) -> TextPredictor:
    """The predictor of a folder that training, or `EncoderDecoderModel.save_pretrained`, wrote."""
    tokenizer = Tokenizer.from_folder(folder)
    decoder = TorchDecoder(load_encoder_decoder(folder), device=device, precision=precision)
    return TextPredictor(decoder, head, tokenizer, token_budget=token_budget)


def load_encoder_decoder(folder: Path) -> Any:
    """The `EncoderDecoderModel` of a folder whose tokenizer fits it."""
    from transformers import EncoderDecoderModel

    try:
        model = read_weights(EncoderDecoderModel, folder)
    except (OSError, ValueError) as problem:
        raise BadInputError(f"{folder}: no encoder with a decoder: {problem}") from None
    tokenizer = Tokenizer.from_folder(folder)
    tokenizer.check_embeddings(model.config.encoder.vocab_size, place=folder)
    return model.eval()


def text_predictor(network: Network, tokenizer: Tokenizer, device: torch.device) -> TextPredictor:
    """The predictor of a network in training, from a copy of its weights."""
    (spec,) = network.specs
    head = network.heads[spec.name]
    assert isinstance(network.encoder, Encoder) and isinstance(head, DecoderHead)
    model = encoder_decoder(network.encoder, head)
    return TextPredictor(TorchDecoder(model, device=device), spec, tokenizer)


class TorchDecoder:
    """An `EncoderDecoderModel` that reads sources, and says what comes next."""

    engine = "Torch"

    def __init__(
        self,
        model: Any,
        *,
        device: torch.device,
        precision: Literal["float32", "bf16"] = "float32",
    ) -> None:
        self.device = device
        self.precision = precision
        self.positions = int(model.config.encoder.max_position_embeddings)
        # The first of them is taken by what every text begins with.
        self.pieces = int(model.config.decoder.max_position_embeddings) - 1
        model = model.to(device).eval()
        self._reader, self._next = SourceReader(model), NextPiece(model)

    def read(self, token_ids: IntArray, mask: BoolArray) -> "TorchReading":
        """Read padded sources, (sources, length) both."""
        rows, seen = (torch.from_numpy(one).to(self.device) for one in (token_ids, mask))
        with torch.no_grad(), self.autocast():
            return TorchReading(self, self._reader(rows, seen), seen)

    def next_piece(self, *inputs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of what comes next, and keys and values of the pieces; see `NextPiece`."""
        with torch.no_grad(), self.autocast():
            logits, newest = self._next(*inputs)
        return logits, newest

    def autocast(self) -> torch.autocast:
        """Half precision, where it was asked for."""
        enabled = self.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)


class TorchReading:
    """Sources that were read, and the keys and values of all that is written about them."""

    def __init__(self, decoder: TorchDecoder, memory: torch.Tensor, mask: torch.Tensor) -> None:
        self._decoder = decoder
        self._memory = memory.unbind()
        self._mask = mask
        self._past = memory[..., :0, :]
        self._steps = 0

    def following(self, pieces: IntArray, ancestors: BoolArray) -> FloatArray:
        """(sources, beams, vocabulary) logits of what follows the newest pieces."""
        newest, seen = (
            torch.from_numpy(np.ascontiguousarray(one)).to(self._mask.device)
            for one in (pieces, ancestors)
        )
        known = seen.shape[-1]
        logits, said = self._decoder.next_piece(
            newest,
            torch.tensor([self._steps], device=newest.device),
            self._mask,
            seen,
            self._memory,
            self._past[..., :known, :].unbind(),
        )
        self._remember(said, known)
        found: FloatArray = logits.float().cpu().numpy()
        return found

    def _remember(self, said: torch.Tensor, known: int) -> None:
        beams = said.shape[-2]
        if known + beams > self._past.shape[-2]:
            shape = (*said.shape[:-2], ROOM * beams, said.shape[-1])
            self._past = torch.cat([self._past.to(said), said.new_empty(shape)], dim=-2)
        self._past[..., known : known + beams, :] = said
        self._steps += 1
