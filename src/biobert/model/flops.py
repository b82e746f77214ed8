"""How much arithmetic a training step costs, for the utilisation of a machine."""

from biobert.model.settings import EncoderSettings


def training_flops_per_token(
    settings: EncoderSettings, *, length: float, predicted_share: float
) -> float:
    """Floating-point operations for a token, forwards and backwards, in rows of `length` tokens.

    Six for each weight that multiplies it (Kaplan et al. 2020, arXiv:2001.08361), twelve for each
    hidden unit, layer and token it attends to, and the vocabulary head on the share of tokens that
    are predicted. Work that is done again (recomputation, padding) does not count.
    """
    size = settings.hidden_size
    width = settings.attention_width
    layer = 4 * size * width + 2 * size * settings.intermediate_size
    attention = 2 * width * length
    head = size * size + size * settings.vocabulary_size
    return 6.0 * (settings.layers * (layer + attention) + predicted_share * head)
