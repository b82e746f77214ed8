"""A model that writes texts becomes two graphs, checked against transformers' own of the same
weights: `model.onnx` reads a source once, `decoder.onnx` says what follows each piece."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from biobert.compression.export import ExportReport, check_difference, write_graph
from biobert.core.batching import window_arrays
from biobert.core.model_folder import EXPORTED_DECODER, EXPORTED_MODEL
from biobert.core.task import FloatArray, IntArray, Window
from biobert.model.steps import NextPiece, SourceReader
from biobert.runtime.load import load_decoder
from biobert.runtime.settings import RuntimeSettings

FLOAT32 = RuntimeSettings(engine="openvino", precision="float32")


class _Exportable(nn.Module):
    """The decoder's step with memory and past in a row, which ONNX wants."""

    def __init__(self, next_piece: NextPiece) -> None:
        super().__init__()
        self.next_piece = next_piece

    def forward(
        self,
        pieces: torch.Tensor,
        position: torch.Tensor,
        mask: torch.Tensor,
        ancestors: torch.Tensor,
        *known: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits, and keys and values of the pieces."""
        memory, past = known[: len(known) // 2], known[len(known) // 2 :]
        found: tuple[torch.Tensor, torch.Tensor]
        found = self.next_piece(pieces, position, mask, ancestors, memory, past)
        return found


def export_decoder(model: Any, output: Path, windows: Sequence[Window]) -> ExportReport:
    """Write both graphs of an `EncoderDecoderModel` in float32, and check them on some windows.

    `config.json` must lie in `output`.
    """
    arrays = window_arrays(windows)
    rows, mask = (torch.from_numpy(arrays[name]) for name in ("token_ids", "mask"))
    reader = SourceReader(model)
    with torch.no_grad():
        memory = reader(rows, mask)
    write_graph(
        reader,
        {"token_ids": rows, "mask": mask},
        output / EXPORTED_MODEL,
        outputs=["memory"],
        axes={
            "token_ids": {0: "sources", 1: "length"},
            "mask": {0: "sources", 1: "length"},
            "memory": {1: "sources", 3: "length"},
        },
    )
    _write_step(NextPiece(model), memory, mask, output / EXPORTED_DECODER)
    written = sum((output / name).stat().st_size for name in (EXPORTED_MODEL, EXPORTED_DECODER))
    difference = check_decoder(model, output, windows)
    return ExportReport(output / EXPORTED_MODEL, written, difference)


def _write_step(
    next_piece: NextPiece, memory: torch.Tensor, mask: torch.Tensor, path: Path
) -> None:
    sources, beams, before = len(mask), 2, 6
    past = memory.new_zeros((*memory.shape[:3], before, memory.shape[-1]))
    inputs = {
        "pieces": torch.full((sources, beams), 7),
        "position": torch.tensor([before // beams]),
        "mask": mask,
        "ancestors": torch.ones((sources, beams, before), dtype=torch.bool),
    }
    axes = {
        "pieces": {0: "sources", 1: "beams"},
        "mask": {0: "sources", 1: "length"},
        "ancestors": {0: "sources", 1: "beams", 2: "before"},
        "logits": {0: "sources", 1: "beams"},
        "said": {1: "sources", 3: "beams"},
    }
    for name, tensor, axis in (("memory", memory, "length"), ("past", past, "before")):
        for number, part in enumerate(tensor):
            inputs[f"{name}_{number}"] = part
            axes[f"{name}_{number}"] = {0: "sources", 2: axis}
    write_graph(_Exportable(next_piece), inputs, path, outputs=["logits", "said"], axes=axes)


def check_decoder(model: Any, folder: Path, windows: Sequence[Window]) -> float:
    """The largest difference of the graphs' logits from PyTorch's; an error beyond 1e-4.

    Two texts are written about each source: itself and the next one. They change places between
    the beams at every step.
    """
    arrays = window_arrays(windows)
    texts = _texts(windows)
    expected = _teacher_forced(model, arrays["token_ids"], arrays["mask"], texts)
    reading = load_decoder(folder / EXPORTED_MODEL, FLOAT32).read(
        arrays["token_ids"], arrays["mask"]
    )
    sources, beams, length = texts.shape
    places = (np.arange(beams) + np.arange(length)[:, None]) % beams
    differences = []
    for step, place in enumerate(places):
        seen = place[:, None] == places[:step].reshape(1, -1)
        found = reading.following(
            texts[:, place, step], np.broadcast_to(seen, (sources, *seen.shape))
        )
        differences.append(np.abs(found - expected[:, place, step]).max())
    return check_difference(differences, folder)


def _texts(windows: Sequence[Window]) -> IntArray:
    """(sources, 2, length) the ids of each window and of the next one, as long as the shortest."""
    length = min(len(window) for window in windows)
    rows = np.stack([window.token_ids[:length] for window in windows])
    return np.stack([rows, np.roll(rows, 1, axis=0)], axis=1)


def _teacher_forced(
    model: Any, token_ids: IntArray, mask: np.ndarray, texts: IntArray
) -> FloatArray:
    """(sources, beams, length, vocabulary) logits of a model that is told what was written."""
    sources, beams, length = texts.shape
    with torch.no_grad():
        logits = model(
            input_ids=torch.from_numpy(token_ids.repeat(beams, axis=0)),
            attention_mask=torch.from_numpy(mask.repeat(beams, axis=0)).long(),
            decoder_input_ids=torch.from_numpy(texts.reshape(-1, length)),
        ).logits
    found: FloatArray = logits.numpy().reshape(sources, beams, length, -1)
    return found
