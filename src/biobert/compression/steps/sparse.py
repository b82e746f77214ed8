"""Put the smallest weights to zero and store the rest alone: it saves disk, not time."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from biobert.compression.workbench import Workbench, open_learner, own_encoder, write_learner
from biobert.core.errors import BadInputError
from biobert.core.model_folder import SPARSE_WEIGHTS, WEIGHTS
from biobert.model.sparse import write_sparse
from biobert.model.surgery import WORD_EMBEDDINGS
from biobert.model.weights import read_tensors


@dataclass(frozen=True, slots=True)
class Sparsity:
    """The `share` of the weights of each matrix that goes, those nearest to zero.

    Matrices are those of the layers and the word embeddings (Gordon et al. 2020,
    arXiv:2002.08307: three or four tenths of BERT's go without harm).
    """

    share: float

    def __post_init__(self) -> None:
        if not 0.0 < self.share < 1.0:
            raise BadInputError(f"[[steps]] share = {self.share}: more than 0, less than 1")


SETTINGS = Sparsity


def apply(source: Path, target: Path, settings: Sparsity, bench: Workbench) -> Mapping[str, Any]:
    """The folder with `model.sparse.safetensors` for weights, as model/sparse.py lays them out."""
    del bench
    learner = open_learner(source)
    encoder = own_encoder(learner, "sparse")
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            is_of_a_layer = name.startswith("layers.") and parameter.dim() == 2
            if is_of_a_layer or name == WORD_EMBEDDINGS:
                parameter[~largest(parameter, 1.0 - settings.share)] = 0.0
    write_learner(learner, source, target)
    tensors = read_tensors(target)
    before = (target / WEIGHTS).stat().st_size
    (target / WEIGHTS).unlink()
    write_sparse(tensors, target / SPARSE_WEIGHTS)
    zeros = sum(int((one == 0).sum()) for one in tensors.values())
    return {
        "zeros": zeros,
        "weights": sum(one.numel() for one in tensors.values()),
        "bytes": [before, (target / SPARSE_WEIGHTS).stat().st_size],
    }


def largest(weights: torch.Tensor, share: float) -> torch.Tensor:
    """True for this share of the elements, those furthest from zero; of equals the first."""
    count = round(share * weights.numel())
    kept = torch.zeros(weights.numel(), dtype=torch.bool)
    order = weights.detach().abs().flatten().argsort(descending=True, stable=True)
    kept[order[:count]] = True
    return kept.view_as(weights)
