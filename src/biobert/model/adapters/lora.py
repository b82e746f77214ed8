"""LoRA: W x + (alpha / rank) B A x, with W frozen (Hu et al. 2021, arXiv:2106.09685)."""

from torch import nn

from biobert.model.adapters._inject import inject
from biobert.model.adapters._settings import AdapterSettings
from biobert.model.encoder import Encoder

QUERY_AND_VALUE = ("attention.query", "attention.value")
"""What the paper adapts (section 4.2)."""


def attach(encoder: nn.Module, settings: AdapterSettings) -> nn.Module:
    """The encoder with low-rank matrices beside its linear layers; B begins at zero."""
    from peft import LoraConfig

    own = QUERY_AND_VALUE if isinstance(encoder, Encoder) else None
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=list(settings.targets or own or ()) or None,
    )
    return inject(encoder, config)
