"""Tensors in safetensors files: written whole or not at all, and read with damage named."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from biobert.core.errors import BadInputError
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


def read_file(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a file; BadInputError where it is damaged or not there."""
    with damage_named(path):
        tensors: dict[str, torch.Tensor] = load_file(path)
    return tensors


def read_wanted(path: Path, wanted: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """All tensors of a file; BadInputError unless these are among them, in their shapes."""
    tensors = read_file(path)
    for name, own in wanted.items():
        if name not in tensors or tensors[name].shape != own.shape:
            raise BadInputError(f"{path}: no {name!r} of shape {tuple(own.shape)}")
    return tensors


@contextmanager
def damage_named(place: Path) -> Iterator[None]:
    """Says of which file or folder it is that safetensors are damaged or not there."""
    try:
        yield
    except SafetensorError as problem:
        raise BadInputError(f"{place}: damaged weights: {problem}; copy them again") from None
    except FileNotFoundError as problem:
        raise BadInputError(f"{problem}; copy the whole folder", code="not-found") from None


def _apart(tensors: Mapping[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """On the CPU, none in the memory of another: tied weights have two names."""
    seen: set[int] = set()
    for name, value in tensors.items():
        placed = value.detach().cpu().contiguous()
        yield name, placed.clone() if placed.data_ptr() in seen else placed
        seen.add(placed.data_ptr())
