"""An encoder with the heads of a task on it."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import nn

from biobert.core.errors import BadInputError
from biobert.core.task import HeadSpec
from biobert.model.decoder import DecoderHead
from biobert.model.encoder import Encoder
from biobert.model.heads import LinearHead, VocabularyHead
from biobert.model.vectors import NEVER, VectorHead, mean_vectors

LAYER_NUMBER = re.compile(r"\.layers?\.(\d+)\.")
# By name: the norms of DeBERTa's relative positions and of ALBERT's only layer lie outside, too.
TOP_NORM = re.compile(
    r"\.(?:final_norm|emb_layer_norm_after|model\.(?:norm|LayerNorm)|encoder\.ln)\."
)
"""The norm behind the last layer, of ModernBERT, ESM, EuroBERT, RoBERTa-PreLayerNorm, Megatron."""


class Network(nn.Module):
    """Token ids in, logits by head name out."""

    def __init__(
        self, encoder: nn.Module, specs: Sequence[HeadSpec], *, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.specs = tuple(specs)
        # What `model/adaptation.py` has put into the encoder, if anything.
        self.adaptation: object | None = None
        self.heads = nn.ModuleDict({spec.name: _head(spec, encoder, dropout) for spec in specs})
        self.rest_unread()

    def rest_unread(self) -> None:
        """Freeze a pooler that no head reads: DDP would wait for its gradients, which never come.

        A new encoder in the old one's place needs it again.
        """
        if not any(spec.reads_pooler for spec in self.specs):
            self.encoder.pooler.requires_grad_(False)

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
        *,
        positions: torch.Tensor | None = None,
        selected: Mapping[str, torch.Tensor] | None = None,
        marks: torch.Tensor | None = None,
        written: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Logits: (rows, length, width) of a head that answers by token, else (rows, width).

        `mask` and `positions` are those of the encoder. A head named in `selected` reads only the
        tokens at these places of the flattened rows, (n,), and gives (n, width): a masked language
        model needs few of its logits, and packed rows hold several sequences. `marks` (rows, k) are
        the tokens that a `marked` or `cloze` head reads, `written` (rows, pieces) the gold that a
        `text` head goes on from, piece by piece.
        """
        packed = {} if positions is None else {"positions": positions}
        hidden = self.encoder(token_ids, segment_ids, mask, **packed)
        known = _Known(hidden, mask, marks, written)
        wanted = selected or {}
        return {spec.name: self._logits(spec, known, wanted.get(spec.name)) for spec in self.specs}

    def depth(self, name: str) -> int:
        """How far from the heads a parameter is: 0 a head, 1 the top layer, ..., the embeddings."""
        if name.startswith("heads.") or ".pooler." in name:
            return 0
        if found := LAYER_NUMBER.search(name):
            return self.layer_count - int(found.group(1))
        return 1 if TOP_NORM.search(name) else self.layer_count + 1

    def _logits(self, spec: HeadSpec, known: "_Known", places: torch.Tensor | None) -> torch.Tensor:
        head = self.heads[spec.name]
        logits: torch.Tensor
        match spec.kind:
            case "vocabulary":
                logits = self._pieces(spec, _at(places, known.hidden))
            case "cloze":
                logits = self._pieces(spec, _marked_vectors(known, spec.marks))
            case "marked":
                logits = head(_marked_vectors(known, spec.marks))
            case "vector":
                logits = head(known.hidden, known.mask)
            case "text":
                logits = head(known.written, known.hidden, known.mask)
            case "span":
                logits = _without_padding(head(known.hidden), known.mask)
            case "sequence" if spec.pooling == "mean":
                logits = head(mean_vectors(known.hidden, known.mask))
            case _ if spec.reads_pooler:
                first = known.hidden[:, 0] if places is None else _at(places, known.hidden)
                logits = head(self.encoder.pooler(first))  # type: ignore[operator]
            case _:
                logits = head(_at(places, known.hidden))
        return logits

    def _pieces(self, spec: HeadSpec, hidden: torch.Tensor) -> torch.Tensor:
        embeddings = self.encoder.embeddings.word.weight  # type: ignore[union-attr]
        logits: torch.Tensor = self.heads[spec.name](hidden, embeddings, spec.pieces)
        return logits


class _Known(NamedTuple):
    """What heads may read: the encoder's vectors, and of `Network.forward` what goes with them."""

    hidden: torch.Tensor
    mask: torch.Tensor | None
    marks: torch.Tensor | None
    written: torch.Tensor | None


def _at(places: torch.Tensor | None, hidden: torch.Tensor) -> torch.Tensor:
    """The vectors at these places of the flattened rows, or all as they are."""
    return hidden if places is None else hidden.flatten(0, 1)[places]


def _without_padding(logits: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    return logits if mask is None else logits.masked_fill(~mask[:, :, None], NEVER)


def _marked_vectors(known: _Known, count: int) -> torch.Tensor:
    """The vectors at the first `count` marks of each row, side by side: (rows, count * size).

    Rows hold more marks where another head reads more.
    """
    assert known.marks is not None
    # Not by row numbers: the exporter would take their count for a constant.
    places = known.marks[:, :count, None].expand(-1, -1, known.hidden.shape[-1])
    return known.hidden.gather(1, places).flatten(1)


def _head(spec: HeadSpec, encoder: nn.Module, dropout: float) -> nn.Module:
    if spec.kind == "vector":
        return VectorHead(spec)
    if spec.kind not in ("vocabulary", "cloze", "text"):
        return LinearHead(spec, int(encoder.hidden_size), dropout=dropout)  # type: ignore[arg-type]
    if not isinstance(encoder, Encoder):
        raise BadInputError(
            "pretraining, cloze, fill-mask and generation need a BERT encoder (model_type 'bert'); "
            f"this is a {type(encoder).__name__}"
        )
    if spec.kind == "cloze" and not spec.pieces:
        raise BadInputError(
            f"head {spec.name!r} knows no word pieces for its labels; `task.with_tokenizer` does"
        )
    return DecoderHead(encoder) if spec.kind == "text" else VocabularyHead(encoder)
