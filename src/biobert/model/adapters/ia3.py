"""IA3: learnt vectors that multiply keys, values and the inner feed-forward activations.

Liu et al. 2022 (arXiv:2205.05638), section 3.3; all vectors begin at one.
"""

from torch import nn

from biobert.model.adapters._inject import inject
from biobert.model.adapters._settings import AdapterSettings
from biobert.model.encoder import Encoder

KEY_AND_VALUE = ("attention.key", "attention.value")
FEED_FORWARD = ("feed_forward.contract",)
"""Its input is what the inner layer gives."""


def attach(encoder: nn.Module, settings: AdapterSettings) -> nn.Module:
    """The encoder with multiplying vectors; of `targets`, none is taken for a feed-forward."""
    from peft import IA3Config

    if settings.targets:
        config = IA3Config(target_modules=list(settings.targets), feedforward_modules=[])
    elif isinstance(encoder, Encoder):
        config = IA3Config(
            target_modules=[*KEY_AND_VALUE, *FEED_FORWARD], feedforward_modules=[*FEED_FORWARD]
        )
    else:
        config = IA3Config()
    return inject(encoder, config)
