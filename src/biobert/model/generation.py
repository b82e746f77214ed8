"""An encoder and a decoder as a predictor: windows in, texts out, by beam search."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from biobert.core.batching import length_sorted_batches, window_arrays
from biobert.core.errors import BadInputError
from biobert.core.task import (
    UNFINISHED,
    FloatArray,
    HeadSpec,
    Outputs,
    Window,
    WritingSettings,
)
from biobert.model.decoder import DecoderHead, encoder_decoder
from biobert.model.encoder import Encoder
from biobert.model.network import Network
from biobert.text.tokenizer import Tokenizer

TOKEN_BUDGET = 8192
"""Of source tokens times beams."""


def load_text_predictor(
    folder: Path,
    head: HeadSpec,
    *,
    device: torch.device,
    precision: Literal["float32", "bf16"] = "float32",
    token_budget: int | None = None,
) -> "TextPredictor":
    """The predictor of a folder that training, or `EncoderDecoderModel.save_pretrained`, wrote."""
    from transformers import EncoderDecoderModel

    try:
        model = EncoderDecoderModel.from_pretrained(folder, use_safetensors=True)
    except (OSError, ValueError) as problem:
        raise BadInputError(f"{folder}: no encoder with a decoder: {problem}") from None
    tokenizer = Tokenizer.from_folder(folder)
    tokenizer.check_embeddings(model.config.encoder.vocab_size, place=folder)
    return TextPredictor(
        model.to(device),
        head,
        tokenizer,
        device=device,
        precision=precision,
        token_budget=token_budget or TOKEN_BUDGET,
    )


def text_predictor(network: Network, tokenizer: Tokenizer, device: torch.device) -> "TextPredictor":
    """The predictor of a network in training, from a copy of its weights."""
    (spec,) = network.specs
    head = network.heads[spec.name]
    assert isinstance(network.encoder, Encoder) and isinstance(head, DecoderHead)
    model = encoder_decoder(network.encoder, head).to(device)
    return TextPredictor(model, spec, tokenizer, device=device)


class TextPredictor:
    """Writes a text for each window, through transformers' `generate`."""

    def __init__(
        self,
        model: Any,
        head: HeadSpec,
        tokenizer: Tokenizer,
        *,
        device: torch.device,
        precision: Literal["float32", "bf16"] = "float32",
        token_budget: int = TOKEN_BUDGET,
    ) -> None:
        self.model = model.eval()
        self.head = head
        self.tokenizer = tokenizer
        self.device = device
        self.precision = precision
        self.token_budget = token_budget
        self.settings = head.writing or WritingSettings()
        self._check_room()

    @property
    def maximum_positions(self) -> int:
        """The longest window it takes."""
        return int(self.model.config.encoder.max_position_embeddings)

    def predict(self, windows: Sequence[Window]) -> list[Outputs]:
        """For each window the code points of its text, and whether it was stopped (1 or 0)."""
        outputs: list[Outputs] = [{} for _ in windows]
        lengths = [len(window) for window in windows]
        budget = max(1, self.token_budget // self.settings.beams)
        with torch.no_grad(), self._autocast():
            for batch in length_sorted_batches(lengths, token_budget=budget):
                numbers = batch.tolist()
                rows = self._write([windows[number] for number in numbers])
                for number, row in zip(numbers, rows, strict=True):
                    outputs[number] = self._output(row)
        return outputs

    def _write(self, windows: Sequence[Window]) -> list[list[int]]:
        """Ids of each text, up to its end where it has one."""
        arrays = window_arrays(windows, pad_id=self.tokenizer.special("pad"))
        settings = self.settings
        written = self.model.generate(
            torch.from_numpy(arrays["token_ids"]).to(self.device),
            attention_mask=torch.from_numpy(arrays["mask"]).long().to(self.device),
            decoder_start_token_id=self.tokenizer.special("cls"),
            eos_token_id=self.tokenizer.special("sep"),
            pad_token_id=self.tokenizer.special("pad"),
            do_sample=False,
            num_beams=settings.beams,
            max_new_tokens=settings.maximum_pieces,
            min_new_tokens=settings.minimum_pieces,
            no_repeat_ngram_size=settings.no_repeat,
            repetition_penalty=settings.repetition_penalty,
            **({"length_penalty": settings.length_penalty} if settings.beams > 1 else {}),
        )
        rows: list[list[int]] = written[:, 1:].tolist()
        return rows

    def _output(self, row: Sequence[int]) -> Outputs:
        last = self.tokenizer.special("sep")
        finished = last in row
        text = self.tokenizer.text(row[: row.index(last)] if finished else row)
        stopped = np.array([0.0 if finished else 1.0], dtype=np.float32)
        return {self.head.name: code_points(text), UNFINISHED: stopped}

    def _check_room(self) -> None:
        positions = int(self.model.config.decoder.max_position_embeddings)
        wanted = self.settings.maximum_pieces
        if wanted >= positions:
            raise BadInputError(
                f"a text of {wanted} pieces: this decoder writes up to {positions - 1}",
                code="usage",
            )

    def _autocast(self) -> torch.autocast:
        enabled = self.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)


def code_points(text: str) -> FloatArray:
    """(characters,) Unicode code points; float32 holds all of them exactly."""
    return np.array([ord(character) for character in text], dtype=np.float32)
