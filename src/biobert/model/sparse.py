"""Weights without their zeros: a bit for each element, and the values of those that are there.

Layout of `model.sparse.safetensors`: a tensor NAME with enough zeros is stored as NAME.mask (uint8:
the bits of its elements in row-major order, the first in the highest bit, the last byte filled with
zeros) and NAME.values (its elements that are not zero, in the same order); the metadata `shapes` is
a JSON object of NAME to shape. Every other tensor is stored whole. It saves disk, not time: in
memory the weights are what they were.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

from biobert.core.errors import BadInputError
from biobert.model.tensors import damage_named, write_tensors

MASK, VALUES, SHAPES = ".mask", ".values", "shapes"
WHOLE_NUMBERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def write_sparse(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write tensors, those without zeros for which it pays; bits and all, they come back equal."""
    stored: dict[str, torch.Tensor] = {}
    shapes: dict[str, list[int]] = {}
    for name, tensor in tensors.items():
        flat = tensor.detach().cpu().contiguous().flatten()
        # By bits, so that -0.0 is no zero and comes back.
        there = flat.view(WHOLE_NUMBERS[flat.element_size()]) != 0
        if _pays(flat, int(there.sum())):
            shapes[name] = list(tensor.shape)
            stored[name + MASK] = torch.from_numpy(np.packbits(there.numpy()))
            stored[name + VALUES] = flat[there]
        else:
            stored[name] = tensor
    write_tensors(stored, path, metadata={SHAPES: json.dumps(shapes)})


def read_sparse(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file that `write_sparse` wrote, as they were."""
    with damage_named(path), safe_open(path, framework="pt") as file:
        shapes = json.loads((file.metadata() or {}).get(SHAPES, "{}"))
        parts = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tensors = {
        name: value
        for name, value in parts.items()
        if name.removesuffix(MASK).removesuffix(VALUES) not in shapes
    }
    for name, shape in shapes.items():
        if name + MASK not in parts or name + VALUES not in parts:
            raise BadInputError(f"{path}: {name!r} lacks its mask or its values")
        tensors[name] = _filled(parts[name + MASK], parts[name + VALUES], shape, f"{path} {name}")
    return tensors


def _filled(mask: torch.Tensor, values: torch.Tensor, shape: list[int], place: str) -> torch.Tensor:
    count = math.prod(shape)
    if not all(size > 0 for size in shape) or len(mask) != -(-count // 8):
        raise BadInputError(f"{place}: a mask of {len(mask)} bytes is none for shape {shape}")
    there = torch.from_numpy(np.unpackbits(mask.numpy(), count=count)).bool()
    if int(there.sum()) != len(values):
        raise BadInputError(f"{place}: {len(values)} values for {int(there.sum())} bits")
    flat = torch.zeros(count, dtype=values.dtype)
    flat[there] = values
    return flat.reshape(shape)


def _pays(flat: torch.Tensor, there: int) -> bool:
    return flat.numel() > 0 and there * flat.element_size() + len(flat) // 8 < flat.nbytes
