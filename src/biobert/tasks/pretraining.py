"""Pretraining: hidden words are filled in (MLM), pairs of segments are judged (NSP).

The loss is the sum of two mean cross-entropies, over the hidden positions and over the pairs, as in
Devlin et al. 2019 (arXiv:1810.04805), section 3.1. Rows come from the shards of a corpus and are
masked anew each time they are drawn.

On documents the task fills in what is written as `[MASK]`: a `gap` entity at that place, whose
concept is the likeliest word piece by its number in the vocabulary (`piece:2001`).
"""

import logging
import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from biobert.core.document import Document, Entity
from biobert.core.errors import BadInputError
from biobert.core.task import (
    IGNORED,
    Example,
    FloatArray,
    HeadSpec,
    IntArray,
    LabelGroup,
    Outputs,
    Score,
    Scores,
    Targets,
    Task,
    TextTokenizer,
    Window,
)
from biobert.data.shards import TokenShard
from biobert.evaluation.spans import check_same_texts
from biobert.tasks._layout import SegmentPool, SpecialIds, lay_out
from biobert.tasks._masking import (
    MaskingSettings,
    MaskingVocabulary,
    chances_of_tags,
    choose,
    hide,
)
from biobert.tasks._segments import Pairing, segment_rows
from biobert.text.tokenizer import Tokenizer

WORDS, PAIRS = "words", "pairs"
MASK_MARK = re.compile(r"\[MASK\]|<mask>")
GAP, PIECE = "gap", "piece:"
FEWEST_STRANGERS = 0.45
"""Of the pairs, of which half should be strangers: where there are fewer, a run says so."""
_LOG = logging.getLogger(__name__)
GAP_WORD = -2
"""Word number of a mask token that stands for a gap in the text."""


@dataclass(frozen=True, slots=True)
class PretrainingSettings:
    """`pairs` is what is learnt of two segments: `next` (BERT's NSP), `order` (sentence order, Lan
    et al. 2020, arXiv:1909.11942) or `none`; `short_rows` the share of rows made shorter."""

    pairs: Pairing = "next"
    short_rows: float = 0.1
    masking: MaskingSettings = field(default_factory=MaskingSettings)

    def __post_init__(self) -> None:
        if not 0.0 <= self.short_rows <= 1.0:
            raise BadInputError(f"[task] short_rows = {self.short_rows}: a share, 0 to 1")


@dataclass(frozen=True, slots=True, eq=False)
class MaskedRows:
    """Rows to learn from: what the model sees, (rows, length) or packed into fewer, longer rows.

    `sequence_ids` numbers the rows that share a packed one from 1, 0 is padding; `positions` begin
    anew with each. `places` (n,) are the hidden tokens, counted over the flattened rows, and
    `words` (n,) what stood there; `pair_places` (m,) are the first tokens of paired rows, and
    `pairs` (m,) their labels.
    """

    token_ids: IntArray
    segment_ids: IntArray
    sequence_ids: IntArray
    positions: IntArray
    places: IntArray
    words: IntArray
    pair_places: IntArray
    pairs: IntArray


class Pretraining(Task):
    """A masked language model, with or without a judge of segment pairs."""

    name: ClassVar[str] = "pretraining"
    settings_type: ClassVar[type] = PretrainingSettings
    _settings: PretrainingSettings
    _has_told_share = False
    _pieces: IntArray | None = None

    def with_tokenizer(self, tokenizer: TextTokenizer) -> Self:
        """The task that fills gaps with pieces of this vocabulary alone: many checkpoints have rows
        that pad their table."""
        told = copy(self)
        told._pieces = tokenizer.known_ids
        return told

    def heads(self) -> tuple[HeadSpec, ...]:
        """The vocabulary head, and a sequence head where pairs are judged."""
        words = HeadSpec(WORDS, "vocabulary")
        if self._settings.pairs == "none":
            return (words,)
        labels = ("follows", "differs" if self._settings.pairs == "next" else "swapped")
        return (words, HeadSpec(PAIRS, "sequence", (LabelGroup(PAIRS, labels),)))

    def draw(
        self, shards: Sequence[TokenShard], *, length: int, generator: np.random.Generator
    ) -> SegmentPool:
        """All rows of some shards, of at most `length` tokens; drawn anew in every epoch."""
        settings = self._settings
        segments = [
            segment_rows(
                shard,
                length=length,
                pairing=settings.pairs,
                short_rows=settings.short_rows,
                generator=generator,
            )
            for shard in shards
        ]
        pool = SegmentPool(shards, segments)
        if settings.pairs == "next":
            _check_strangers(shards)
            self._tell_share(pool.strangers)
        return pool

    def masked(
        self,
        pool: SegmentPool,
        rows: Sequence[IntArray],
        vocabulary: MaskingVocabulary,
        generator: np.random.Generator,
    ) -> MaskedRows:
        """Sequences of the pool, those of one of `rows` side by side, with words hidden."""
        masking = self._settings.masking
        laid_out = lay_out(pool, rows, vocabulary.borders)
        chances: FloatArray | None = None
        if masking.weights:
            chances = chances_of_tags(laid_out.tags, vocabulary.tags, masking.weights)
        ids = laid_out.token_ids
        # An unknown piece stands among the others, and is no answer to learn.
        inside = laid_out.inside & ~vocabulary.special[ids]
        chosen = choose(ids, inside, vocabulary, masking, generator, chances)
        places = np.flatnonzero(chosen.ravel())
        paired = laid_out.labels != IGNORED
        return MaskedRows(
            token_ids=hide(ids, chosen, vocabulary, masking, generator),
            segment_ids=laid_out.segment_ids,
            sequence_ids=laid_out.sequence_ids,
            positions=laid_out.positions,
            places=places,
            words=ids.ravel()[places],
            pair_places=laid_out.first_places[paired],
            pairs=laid_out.labels[paired],
        )

    def examples(self, document: Document) -> list[Example]:
        """The whole document."""
        return [Example(document, 0, len(document.text))] if document.text.strip() else []

    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """One row for each text, of any length, with a mask token for each `[MASK]`."""
        return [(_masked_window(example, tokenizer),) for example in examples]

    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """The piece that the document's gap has (`piece:2001`); pairs come from shards alone."""
        document = example.document
        known = {
            one.start: _piece(document, one.concept_ids[0])
            for one in document.entities
            if one.label == GAP and one.concept_ids
        }
        return [self._targets(window, known) for window in windows]

    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """A `gap` entity for each `[MASK]`, with the likeliest piece as its concept."""
        entities = []
        for parts, answers in zip(windows, outputs, strict=True):
            for window, answer in zip(parts, answers, strict=True):
                gaps = gap_candidates(window, answer, top=1, pieces=self._pieces)
                entities += [_filled(window, *gap) for gap in gaps]
        return document.with_entities(entities)

    def measure(self) -> str:
        """Of the gaps of a text."""
        return "gaps filled right"

    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """The share of gaps that were filled in right."""
        check_same_texts(gold, predicted)
        wanted = [(number, one) for number, each in enumerate(gold) for one in _gaps(each)]
        found = {(number, one) for number, each in enumerate(predicted) for one in _gaps(each)}
        right = sum(one in found for one in wanted) / max(1, len(wanted))
        return Scores(main=right, micro=Score(right, right, right, len(wanted)), by_label={})

    @classmethod
    def toy_documents(cls) -> list[Document]:
        """Two sentences, one of them with a gap."""
        gap = Entity(9, 15, GAP, (f"{PIECE}7",))
        return [
            Document("gap-1", "The drug [MASK] blood pressure.", entities=(gap,)),
            Document("gap-2", "Aspirin did not."),
        ]

    def _tell_share(self, share: float | None) -> None:
        """Warn once where few pairs are strangers: always to say "follows" is then often right."""
        if share is None or share >= FEWEST_STRANGERS or self._has_told_share:
            return
        self._has_told_share = True
        _LOG.warning(
            "task.pairs = 'next': %.0f%% of the pairs have a second segment from another document, "
            "where half should; most of a shard is of one document: build the corpus from more or "
            "shorter ones, or set task.pairs = 'order' or 'none'",
            100 * share,
        )

    def _targets(self, window: Window, known: Mapping[int, int]) -> Targets:
        words = np.full((len(window), 1), IGNORED, dtype=np.int64)
        for place in gap_places(window):
            words[place] = known.get(int(window.offsets[place, 0]), IGNORED)
        if self._settings.pairs == "none":
            return {WORDS: words}
        return {WORDS: words, PAIRS: np.full(1, IGNORED, dtype=np.int64)}


TASK = Pretraining

__all__ = ["PAIRS", "TASK", "WORDS", "Pretraining", "SegmentPool", "masking_vocabulary"]


def masking_vocabulary(tokenizer: Tokenizer, tags: Sequence[str] = ()) -> MaskingVocabulary:
    """What masking must know of a tokenizer; `tags` names the tags of the corpus."""
    special = {role: tokenizer.special(role) for role in ("pad", "cls", "sep", "mask")}
    ids = np.arange(tokenizer.vocabulary_size)
    return MaskingVocabulary(
        continues=tokenizer.continuations(),
        special=np.isin(ids, tokenizer.special_ids()),
        mask_id=special["mask"],
        borders=SpecialIds(special["pad"], special["cls"], special["sep"]),
        tags=tuple(tags),
    )


def _check_strangers(shards: Sequence[TokenShard]) -> None:
    """An error where every pair would be a true one: nothing is learnt but to say yes."""
    if all(len(shard.document_ends) < 2 for shard in shards):
        raise BadInputError(
            "task.pairs = 'next' takes half of the second segments from other documents, and no "
            "shard of the corpus has two; build it from more documents, or set task.pairs = "
            "'order' or 'none'"
        )


def gap_places(window: Window) -> IntArray:
    """Where the window has the mask token for a `[MASK]` of the text."""
    gaps: IntArray = np.flatnonzero(window.words == GAP_WORD)
    return gaps


def gap_candidates(
    window: Window, output: Outputs, *, top: int, pieces: IntArray | None = None
) -> list[tuple[int, IntArray, FloatArray]]:
    """For each gap its place, the ids of the likeliest pieces (top,), and their probabilities.

    `pieces` (n,) are the ids that stand for one: many checkpoints have rows that pad their table.
    """
    found = []
    for place in gap_places(window).tolist():
        logits = output[WORDS][place].astype(np.float64)
        known = np.arange(len(logits)) if pieces is None else pieces
        probabilities = np.exp(logits[known] - logits[known].max())
        probabilities /= probabilities.sum()
        best = np.argsort(-probabilities, kind="stable")[:top]
        found.append((place, known[best], probabilities[best].astype(np.float32)))
    return found


def _piece(document: Document, concept: str) -> int:
    """The number of the piece that a gap's concept names."""
    number = concept.removeprefix(PIECE)
    if number == concept or not (number.isascii() and number.isdigit()):
        raise BadInputError(
            f"document {document.id!r}: concept {concept!r} of a {GAP!r} is no word piece; write "
            f"its number in the vocabulary, such as {PIECE}2001"
        )
    return int(number)


def _filled(window: Window, place: int, pieces: IntArray, probabilities: FloatArray) -> Entity:
    start, end = window.offsets[place].tolist()
    score = min(1.0, float(probabilities[0]))
    return Entity(start, end, GAP, (f"{PIECE}{pieces[0]}",), score=score)


def _gaps(document: Document) -> list[tuple[int, tuple[str, ...]]]:
    return [(one.start, one.concept_ids) for one in document.entities if one.label == GAP]


def _masked_window(example: Example, tokenizer: TextTokenizer) -> Window:
    text = example.document.text[example.start : example.end]
    parts: list[tuple[IntArray, IntArray, IntArray]] = [_special(tokenizer.special("cls"))]
    position, words = 0, 0
    for mark in (*MASK_MARK.finditer(text), None):
        end = len(text) if mark is None else mark.start()
        (pieces,) = tokenizer.pieces([text[position:end]])
        parts.append((pieces.ids, pieces.offsets + position + example.start, pieces.words + words))
        words += int(pieces.words.max(initial=-1)) + 1
        if mark is not None:
            span = np.array([[mark.start(), mark.end()]]) + example.start
            mask_id = np.array([tokenizer.special("mask")])
            parts.append((mask_id, span, np.array([GAP_WORD])))
            position = mark.end()
    parts.append(_special(tokenizer.special("sep")))
    ids, offsets, numbers = (np.concatenate(some) for some in zip(*parts, strict=True))
    segments = np.zeros(len(ids), dtype=np.int64)
    return Window(ids, segments, offsets, numbers, slice(1, len(ids) - 1))


def _special(token_id: int) -> tuple[IntArray, IntArray, IntArray]:
    return np.array([token_id]), np.array([[-1, -1]]), np.array([-1])
