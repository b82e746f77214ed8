"""An encoder with the heads of a task on it."""

import re
from collections.abc import Sequence

import torch
from torch import nn

from biobert.core.task import HeadSpec
from biobert.model.heads import LinearHead

LAYER_NUMBER = re.compile(r"\.layers?\.(\d+)\.")


class Network(nn.Module):
    """Token ids in, logits by head name out."""

    def __init__(
        self, encoder: nn.Module, specs: Sequence[HeadSpec], *, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.specs = tuple(specs)
        hidden_size = int(encoder.hidden_size)  # type: ignore[arg-type]
        self.heads = nn.ModuleDict(
            {spec.name: LinearHead(spec, hidden_size, dropout=dropout) for spec in specs}
        )
        if all(spec.kind == "token" for spec in specs):
            # An unused pooler would wait for gradients that never come under DDP.
            encoder.pooler.requires_grad_(False)

    @property
    def layer_count(self) -> int:
        """How many layers the encoder has."""
        return int(self.encoder.layer_count)  # type: ignore[arg-type]

    @property
    def maximum_positions(self) -> int:
        """The longest row the encoder takes."""
        return int(self.encoder.maximum_positions)  # type: ignore[arg-type]

    def forward(
        self,
        token_ids: torch.Tensor,
        segment_ids: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Logits: (rows, length, width) of a token head, (rows, width) of a sequence head."""
        hidden = self.encoder(token_ids, segment_ids, mask)
        return {spec.name: self.heads[spec.name](self._input(spec, hidden)) for spec in self.specs}

    def depth(self, name: str) -> int:
        """How far from the heads a parameter is: 0 a head, 1 the top layer, ..., the embeddings."""
        if name.startswith("heads.") or ".pooler." in name:
            return 0
        found = LAYER_NUMBER.search(name)
        return self.layer_count - int(found.group(1)) if found else self.layer_count + 1

    def _input(self, spec: HeadSpec, hidden: torch.Tensor) -> torch.Tensor:
        if spec.kind == "token":
            return hidden
        pooled: torch.Tensor = self.encoder.pooler(hidden)  # type: ignore[operator]
        return pooled
