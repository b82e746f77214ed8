"""Prompt tuning: learnt word vectors in front of every row.

Lester et al. 2021 (arXiv:2104.08691).
"""

import torch
from torch import nn
from torch.nn import functional

from biobert.core.errors import BadInputError
from biobert.model.adapters._settings import AdapterSettings
from biobert.model.encoder import Encoder


class PromptedEncoder(Encoder):
    """The parts of an encoder, and `length` vectors that its first layer reads before each row.

    They begin as the vectors of pieces drawn from the vocabulary (section 2.2 of the paper). They
    take no positions, and what the last layer makes of them is left out.
    """

    def __init__(self, encoder: Encoder, length: int) -> None:
        nn.Module.__init__(self)
        self.settings = encoder.settings
        self.recompute = encoder.recompute
        self.embeddings = encoder.embeddings
        self.layers = encoder.layers
        self.pooler = encoder.pooler
        words = encoder.embeddings.word.weight.detach()
        drawn = torch.randint(len(words), (length,), device=words.device)
        self.prompt = nn.Parameter(words[drawn].clone())

    def forward(
        self,
        token_ids: torch.Tensor,
        segment_ids: torch.Tensor | None = None,
        sequence_ids: torch.Tensor | None = None,
        *,
        positions: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(rows, length) token ids to (rows, length, hidden) vectors; one sequence a row."""
        if sequence_ids is not None and sequence_ids.dtype != torch.bool:
            raise BadInputError("a prompt does not fit packed rows; batches.layout = 'sorted'")
        length = len(self.prompt)
        embedded = self.embed(token_ids, segment_ids, positions)
        prompt = self.embeddings.dropout(self.embeddings.norm(self.prompt))
        # Not by len(): the exporter would take the number of rows for a constant.
        repeated = prompt.to(embedded.dtype).expand(embedded.shape[0], -1, -1)
        hidden = torch.cat([repeated, embedded], dim=1)
        if sequence_ids is not None:
            sequence_ids = functional.pad(sequence_ids, (length, 0), value=True)
        return self.transform(hidden, sequence_ids)[:, length:]


def attach(encoder: nn.Module, settings: AdapterSettings) -> nn.Module:
    """Our encoder with a prompt."""
    if not isinstance(encoder, Encoder):
        raise BadInputError(
            "[adapter] kind = 'prompt' needs a BERT encoder (model_type 'bert'); lora, ia3 and "
            "bottleneck fit others too"
        )
    return PromptedEncoder(encoder, settings.length)
