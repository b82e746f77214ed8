"""Vectors of whole rows: how they are pooled, and the loss that places them."""

import torch
from torch import nn
from torch.nn import functional

from biobert.core.task import ANCHOR, NEGATIVE, POSITIVE, HeadSpec

NEVER = -1e4
"""What no softmax sees, within the range of half precision; an infinity would have no gradient."""


class VectorHead(nn.Module):
    """The vectors of a row as one; it has nothing to learn of its own."""

    def __init__(self, spec: HeadSpec) -> None:
        super().__init__()
        self.pooling = spec.pooling

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """(rows, length, size) vectors and (rows, length) mask to (rows, size).

        With pooling `none` the vectors stay as they are.
        """
        if self.pooling == "none":
            return hidden
        if self.pooling == "first":
            return hidden[:, 0]
        return mean_vectors(hidden, mask)


def mean_vectors(hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The mean of a row's tokens, the special ones too, as in sentence-transformers.

    (rows, length, size) vectors and (rows, length) mask to (rows, size). Reimers and Gurevych 2019,
    arXiv:1908.10084.
    """
    if mask is None:
        return hidden.mean(dim=1)
    weights = mask.to(hidden.dtype)[:, :, None]
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1)


def contrast_loss(vectors: torch.Tensor, targets: torch.Tensor, temperature: float) -> torch.Tensor:
    """The mean over all pairs of an anchor and a positive row of their group; 0 without a pair.

    `vectors` (rows, size), `targets` (rows, 2): group and role. The loss of a pair is -log of the
    softmax of its cosine over the temperature, among the positives and negatives of all other
    groups and the negatives of its own (Gao et al. 2021, arXiv:2104.08821, equations 1 and 5).
    Other positives of the group count neither for it nor against it.
    """
    groups, roles = targets.unbind(dim=-1)
    anchors = roles == ANCHOR
    unit = functional.normalize(vectors.float(), dim=-1)
    cosines = unit[anchors] @ unit[~anchors].T / temperature
    own = groups[anchors][:, None] == groups[~anchors][None, :]
    positive = own & (roles[~anchors] == POSITIVE)
    rivals = ~own | (roles[~anchors] == NEGATIVE)
    others = cosines.masked_fill(~rivals, NEVER).logsumexp(dim=-1, keepdim=True)
    # -log(e^c / (e^c + e^o)) = log(1 + e^(o - c))
    losses = functional.softplus(others - cosines)
    return (losses * positive).sum() / positive.sum().clamp(min=1)
