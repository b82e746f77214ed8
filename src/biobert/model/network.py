"""An encoder with the heads of a task on it."""

import re
from collections.abc import Mapping, Sequence

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
        wanted = selected or {}
        logits = {}
        for spec in self.specs:
            if spec.kind == "marked":
                logits[spec.name] = self.heads[spec.name](
                    _marked_vectors(hidden, marks, spec.marks)
                )
            elif spec.kind == "cloze":
                at_mask = _marked_vectors(hidden, marks, spec.marks)
                logits[spec.name] = self._pieces(spec, at_mask)
            elif spec.kind == "vector":
                logits[spec.name] = self.heads[spec.name](hidden, mask)
            elif spec.kind == "text":
                logits[spec.name] = self.heads[spec.name](written, hidden, mask)
            elif spec.kind == "sequence" and spec.pooling == "mean":
                logits[spec.name] = self.heads[spec.name](mean_vectors(hidden, mask))
            else:
                logits[spec.name] = self._logits(spec, hidden, wanted.get(spec.name))
            if spec.kind == "span" and mask is not None:
                padding = ~mask[:, :, None]
                logits[spec.name] = logits[spec.name].masked_fill(padding, NEVER)
        return logits

    def depth(self, name: str) -> int:
        """How far from the heads a parameter is: 0 a head, 1 the top layer, ..., the embeddings."""
        if name.startswith("heads.") or ".pooler." in name:
            return 0
        if found := LAYER_NUMBER.search(name):
            return self.layer_count - int(found.group(1))
        return 1 if TOP_NORM.search(name) else self.layer_count + 1

    def _logits(
        self, spec: HeadSpec, hidden: torch.Tensor, places: torch.Tensor | None
    ) -> torch.Tensor:
        head = self.heads[spec.name]
        if places is not None:
            hidden = hidden.flatten(0, 1)[places]
        if spec.reads_pooler:
            first = hidden[:, 0] if places is None else hidden
            hidden = self.encoder.pooler(first)  # type: ignore[operator]
        if spec.kind == "vocabulary":
            return self._pieces(spec, hidden)
        answers: torch.Tensor = head(hidden)
        return answers

    def _pieces(self, spec: HeadSpec, hidden: torch.Tensor) -> torch.Tensor:
        embeddings = self.encoder.embeddings.word.weight  # type: ignore[union-attr]
        logits: torch.Tensor = self.heads[spec.name](hidden, embeddings, spec.pieces)
        return logits


def _marked_vectors(hidden: torch.Tensor, marks: torch.Tensor | None, count: int) -> torch.Tensor:
    """(rows, length, size) and (rows, k) places, of which the first count, to (rows, count * size).

    Rows hold more places where another head reads more.
    """
    assert marks is not None
    # Not by row numbers: the exporter would take their count for a constant.
    places = marks[:, :count, None].expand(-1, -1, hidden.shape[-1])
    return hidden.gather(1, places).flatten(1)


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
