"""A trained encoder of twice the width that computes what the narrow one does.

Every unit stands twice, and what reads it reads half of each (Net2Net, Chen et al. 2016,
arXiv:1511.05641). The halves differ by noise of opposite sign, which cancels until training has
parted the twins. A model of the shape of BERT-base that has learnt something can so be had without
its weights.
"""

import math
import shutil
from pathlib import Path

import torch

NOISE = 0.01
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def write_twice_as_wide(folder: Path, output: Path, *, seed: int = 1) -> None:
    """Write the BERT encoder of a folder with its hidden size, heads and layers' width doubled."""
    from transformers import BertModel

    narrow = BertModel.from_pretrained(folder, torch_dtype=torch.float32)
    config = narrow.config.__class__.from_dict(narrow.config.to_dict())
    config.hidden_size *= 2
    config.intermediate_size *= 2
    heads = config.num_attention_heads
    noise = torch.Generator().manual_seed(seed)
    wide = BertModel(config)
    weights = {
        name: _twice(name, weight, heads, noise) for name, weight in narrow.state_dict().items()
    }
    wide.load_state_dict(weights)
    wide.save_pretrained(output)
    for name in TOKENIZER_FILES:
        shutil.copyfile(folder / name, output / name)


def _twice(name: str, weight: torch.Tensor, heads: int, noise: torch.Generator) -> torch.Tensor:
    if "position_ids" in name or "token_type_ids" in name:
        return weight
    if "embeddings" in name and "LayerNorm" not in name:
        return torch.cat([weight, weight], dim=1)
    groups = heads if ".attention.self." in name else 1
    if weight.dim() == 2:
        groups_read = heads if ".attention.output." in name else 1
        weight = _reading_twins(weight, groups_read)
    made = _standing_twice(weight, groups)
    if weight.dim() == 2:
        made = made + _cancelling(made, groups_read, noise)
    # A head of twice the width sums twice as much, and is divided by a root of twice the width.
    is_asked = ".query." in name or ".key." in name
    return made * math.pow(2.0, -0.25) if is_asked else made


def _standing_twice(weight: torch.Tensor, groups: int) -> torch.Tensor:
    """(units, ...) to (2 units, ...): the units of each group, and again."""
    by_group = weight.reshape(groups, -1, *weight.shape[1:])
    return torch.cat([by_group, by_group], dim=1).reshape(-1, *weight.shape[1:])


def _reading_twins(weight: torch.Tensor, groups: int) -> torch.Tensor:
    """(units, read) to (units, 2 read): half of each twin."""
    return _standing_twice(weight.T / 2, groups).T


def _cancelling(weight: torch.Tensor, groups: int, noise: torch.Generator) -> torch.Tensor:
    units, read = weight.shape
    drawn = NOISE * torch.randn(groups, read // groups // 2, units, generator=noise)
    return torch.cat([drawn, -drawn], dim=1).reshape(read, units).T
