"""Putting an adapter of peft into an encoder of any make."""

from typing import Any

from torch import nn

from biobert.core.errors import BadInputError
from biobert.model.encoder import Encoder


def inject(encoder: nn.Module, config: Any) -> nn.Module:
    """The encoder, whose linear layers peft has replaced with adapted ones of the same weights.

    Without `target_modules`, peft's own choice for the type of the model is taken.
    """
    from peft import inject_adapter_in_model

    model = encoder if isinstance(encoder, Encoder) else encoder.model
    try:
        inject_adapter_in_model(config, model)
    except ValueError as problem:
        raise BadInputError(
            f"[adapter] {problem}; name linear layers of this encoder in adapter.targets"
        ) from None
    return encoder
