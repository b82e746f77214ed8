"""A decoder that writes a text from the vectors of another: BERT twice, with attention across.

Rothe et al. 2020 (arXiv:1907.12461), BERT2BERT: encoder and decoder begin from the same checkpoint,
and only the attention from one to the other begins from random weights.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from biobert.core.errors import BadInputError
from biobert.model.encoder import Encoder
from biobert.model.heads import VocabularyHead
from biobert.model.names import PRETRAINING_NAMES, hugging_face_name
from biobert.model.settings import EncoderSettings, to_hugging_face


class DecoderHead(nn.Module):
    """BERT that sees what is written so far and, across, the encoder's vectors.

    The stack is transformers' own, since its cross-attention is standard.
    """

    def __init__(self, encoder: Encoder) -> None:
        from transformers import BertConfig, BertModel

        super().__init__()
        if encoder.settings.head_size is not None:
            raise BadInputError("a decoder is a copy of its encoder, and this one has lost heads")
        self.decoder = BertModel(
            BertConfig(**decoder_config(encoder.settings)), add_pooling_layer=False
        )
        self.decoder.load_state_dict(_encoder_tensors(encoder), strict=False)
        self.vocabulary = VocabularyHead(encoder)
        self.register_buffer("borders", torch.zeros(2, dtype=torch.long))

    @property
    def first_and_last(self) -> tuple[int, int]:
        """The ids that a text begins and ends with; `set_borders` gives them."""
        first, last = self.borders.tolist()  # type: ignore[operator]
        return first, last

    def set_borders(self, first: int, last: int) -> None:
        """Say which ids a text begins and ends with."""
        self.borders.copy_(torch.tensor([first, last]))  # type: ignore[operator]

    def set_attention_dropout(self, rate: float) -> None:
        """Another dropout of attention weights while training, across too."""
        from transformers.models.bert.modeling_bert import BertCrossAttention, BertSelfAttention

        for module in self.decoder.modules():
            if isinstance(module, BertSelfAttention | BertCrossAttention):
                module.dropout.p = rate

    def recompute(self) -> None:
        """Keep no activations between layers while training, and compute them again."""
        # Newer versions of transformers say it otherwise.
        older = "gradient_checkpointing_enable"
        getattr(self.decoder, "activation_checkpointing_enable", getattr(self.decoder, older))()

    def language_model(self) -> Mapping[str, torch.Tensor]:
        """What predicts the next piece, under the names of BERT's masked language model."""
        return {
            PRETRAINING_NAMES["vocabulary", name]: value
            for name, value in self.vocabulary.state_dict().items()
        }

    def forward(
        self, written: torch.Tensor | None, hidden: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        """(rows, pieces) written ids to (rows, pieces, vocabulary) logits of what comes next."""
        if written is None:
            raise BadInputError("a text head writes with beam search alone: use `biobert generate`")
        states = self.decoder(
            input_ids=written,
            encoder_hidden_states=hidden,
            encoder_attention_mask=mask,
            use_cache=False,
        ).last_hidden_state
        logits: torch.Tensor = self.vocabulary(
            states, self.decoder.embeddings.word_embeddings.weight
        )
        return logits

    def save(self, encoder: Encoder, folder: Path) -> None:
        """Write both as `transformers.EncoderDecoderModel.from_pretrained` reads them."""
        encoder_decoder(encoder, self).save_pretrained(folder)


def encoder_decoder(encoder: Encoder, head: DecoderHead) -> Any:
    """The same network as a `transformers.EncoderDecoderModel`, which is also what searches."""
    from transformers import BertConfig, EncoderDecoderConfig, EncoderDecoderModel

    first, last = head.first_and_last
    config = EncoderDecoderConfig.from_encoder_decoder_configs(
        BertConfig(**to_hugging_face(encoder.settings)),
        BertConfig(**decoder_config(encoder.settings)),
        decoder_start_token_id=first,
        bos_token_id=first,
        eos_token_id=last,
        pad_token_id=encoder.settings.pad_id,
        vocab_size=encoder.settings.vocabulary_size,
    )
    model = EncoderDecoderModel(config)
    tensors = {
        f"encoder.{hugging_face_name(name)}": value for name, value in encoder.state_dict().items()
    }
    tensors |= _decoder_tensors(head)
    missing, unknown = model.load_state_dict(tensors, strict=False)
    assert not unknown, unknown
    assert all(name.startswith("decoder.cls.predictions.decoder.") for name in missing), missing
    return model.eval()


def decoder_config(settings: EncoderSettings) -> Mapping[str, Any]:
    """The encoder's `config.json`, turned into that of a decoder with attention across."""
    return {**to_hugging_face(settings), "is_decoder": True, "add_cross_attention": True}


def _encoder_tensors(encoder: Encoder) -> dict[str, torch.Tensor]:
    return {
        hugging_face_name(name): value
        for name, value in encoder.state_dict().items()
        if not name.startswith("pooler.")
    }


def _decoder_tensors(head: DecoderHead) -> dict[str, torch.Tensor]:
    own = {f"decoder.bert.{name}": value for name, value in head.decoder.state_dict().items()}
    return own | {f"decoder.{name}": value for name, value in head.language_model().items()}
