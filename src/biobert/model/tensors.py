"""Tensors in safetensors files: written whole or not at all."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from biobert.core.files import temporary_sibling, unwritten


def write_tensors(
    tensors: Mapping[str, torch.Tensor], path: Path, *, metadata: Mapping[str, str] | None = None
) -> None:
    """Write the file, from whatever device the tensors are on; a full disk is named."""
    contiguous = dict(_apart(tensors))
    with temporary_sibling(path) as unfinished:
        try:
            save_file(contiguous, unfinished, metadata={"format": "pt", **(metadata or {})})
            unfinished.replace(path)
        except (OSError, SafetensorError) as problem:
            raise unwritten(path, problem) from None


def _apart(tensors: Mapping[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """On the CPU, none in the memory of another: tied weights (T5's embeddings) have two names."""
    seen: set[int] = set()
    for name, value in tensors.items():
        placed = value.detach().cpu().contiguous()
        yield name, placed.clone() if placed.data_ptr() in seen else placed
        seen.add(placed.data_ptr())
