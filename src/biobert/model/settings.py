"""The shape of a BERT encoder, and its translation to and from Hugging Face's `config.json`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from biobert.core.errors import BadInputError

Activation = Literal["gelu", "relu", "gelu_new"]


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Sizes and rates of the encoder of Devlin et al. 2019 (arXiv:1810.04805).

    `head_size` is that of a pruned encoder, whose heads together are narrower than the vectors;
    transformers does not know such a shape. None is hidden_size / heads.
    """

    vocabulary_size: int
    hidden_size: int = 768
    layers: int = 12
    heads: int = 12
    intermediate_size: int = 3072
    activation: Activation = "gelu"
    maximum_positions: int = 512
    segment_types: int = 2
    layer_norm_epsilon: float = 1e-12
    dropout: float = 0.1
    attention_dropout: float = 0.1
    pad_id: int = 0
    head_size: int | None = None

    def __post_init__(self) -> None:
        if self.head_size is None and self.hidden_size % self.heads:
            raise BadInputError(
                f"hidden_size {self.hidden_size} is not a multiple of {self.heads} attention heads"
            )

    @property
    def attention_width(self) -> int:
        """The width of all heads side by side."""
        return self.heads * (self.head_size or self.hidden_size // self.heads)


HEAD_SIZE = "attention_head_size"
FIELDS = {
    "vocabulary_size": "vocab_size",
    "hidden_size": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "intermediate_size": "intermediate_size",
    "activation": "hidden_act",
    "maximum_positions": "max_position_embeddings",
    "segment_types": "type_vocab_size",
    "layer_norm_epsilon": "layer_norm_eps",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "pad_id": "pad_token_id",
}


def from_hugging_face(config: Mapping[str, Any]) -> EncoderSettings:
    """The settings of a `config.json`; keys it lacks take BERT-base's values."""
    kind = config.get("model_type", "bert")
    if kind != "bert":
        raise BadInputError(f"model_type {kind!r} is not 'bert'; it is read through transformers")
    if (positions := config.get("position_embedding_type", "absolute")) != "absolute":
        raise BadInputError(
            f"position_embedding_type {positions!r}: of BERT's positions only the absolute ones "
            "are known, here and to transformers; name a checkpoint with them"
        )
    values = {
        ours: config[theirs] for ours, theirs in FIELDS.items() if config.get(theirs) is not None
    }
    if values.get("activation", "gelu") not in ("gelu", "relu", "gelu_new"):
        raise BadInputError(f"hidden_act {values['activation']!r}: known are gelu, relu, gelu_new")
    if "vocabulary_size" not in values:
        raise BadInputError("config.json has no vocab_size")
    return EncoderSettings(**values, head_size=config.get(HEAD_SIZE))


def to_hugging_face(settings: EncoderSettings) -> dict[str, Any]:
    """The `config.json` that `transformers.BertConfig` reads as the same encoder."""
    config = {theirs: getattr(settings, ours) for ours, theirs in FIELDS.items()}
    if settings.head_size is not None:
        config[HEAD_SIZE] = settings.head_size
    return {"model_type": "bert", "architectures": ["BertModel"], **config}
