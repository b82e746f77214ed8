"""Patterns with a gap, such as `{text} It is about [MASK].`, and documents as their rows."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np

from biobert.core.document import Document, Span
from biobert.core.errors import BadInputError
from biobert.core.passages import passage_of
from biobert.core.task import IntArray, Pieces, TextTokenizer, Window
from biobert.tasks._pairs import check_windows, stretches
from biobert.text.windows import PieceRange, WindowSettings

MASK = "[MASK]"
WHOLE_TEXT = "text"
"""The field that stands for all of a document's text."""
PART = re.compile(r"\{(?P<field>[^{}]*)\}|\[MASK\]")


@dataclass(frozen=True, slots=True)
class PatternPart:
    """Words as they stand, a field to be filled with a passage of this kind, or the mask."""

    kind: Literal["words", "field", "mask"]
    value: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """The parts of a pattern in order: one mask, one field or more."""

    parts: tuple[PatternPart, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The kinds of passages that it reads, in order."""
        return tuple(part.value for part in self.parts if part.kind == "field")


def read_pattern(text: str) -> Pattern:
    """The parts of a pattern; an error says what one must have."""
    pattern = Pattern(tuple(_parts(text)))
    masks = sum(part.kind == "mask" for part in pattern.parts)
    problem = None
    if masks != 1:
        problem = f"{masks} times {MASK}; write it once, where the label's word shall stand"
    elif not pattern.fields:
        problem = "no field; name what is read in braces, such as {text}"
    elif len(set(pattern.fields)) < len(pattern.fields):
        problem = "a field stands twice; each is read once"
    elif any(not name.strip() for name in pattern.fields):
        problem = "a field without a name; write a kind of passage, or {text}"
    elif any(part.kind == "words" and set(part.value) & {*"{}"} for part in pattern.parts):
        problem = "a brace without its partner"
    if problem:
        raise BadInputError(f"[task] pattern = {text!r}: {problem}")
    return pattern


def encode_pattern(
    pattern: Pattern,
    documents: Sequence[Document],
    tokenizer: TextTokenizer,
    settings: WindowSettings,
) -> list[tuple[Window, ...]]:
    """For each document rows `[CLS] pattern [SEP]`, whose one mark is the mask.

    What is too long goes through several rows, each with all of the pattern's own words, and beside
    all of the shorter fields; where several are too long each stretch of one meets each of the
    others, and too many of these are an error.
    """
    layout = _layout_of(pattern, tokenizer, settings)
    spans = [[_span(document, name) for name in pattern.fields] for document in documents]
    texts = [
        document.text[span.start : span.end]
        for document, some in zip(documents, spans, strict=True)
        for span in some
    ]
    pieces = iter(tokenizer.pieces(texts))
    return [
        tuple(_windows(document, layout, [_Field(span, next(pieces)) for span in some]))
        for document, some in zip(documents, spans, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """A pattern as token ids with places for its fields, and the room that these have together.

    `mask` is the number of the part that is the mask.
    """

    fixed: tuple[IntArray | None, ...]
    mask: int
    room: int
    overlap: int


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """What fills a field."""

    span: Span
    pieces: Pieces


def _parts(text: str) -> Iterator[PatternPart]:
    position = 0
    for found in PART.finditer(text):
        if words := text[position : found.start()].strip():
            yield PatternPart("words", words)
        name = found["field"]
        yield PatternPart("mask", MASK) if name is None else PatternPart("field", name)
        position = found.end()
    if words := text[position:].strip():
        yield PatternPart("words", words)


def _span(document: Document, name: str) -> Span:
    return Span(0, len(document.text)) if name == WHOLE_TEXT else passage_of(document, name)


def _layout_of(pattern: Pattern, tokenizer: TextTokenizer, settings: WindowSettings) -> _Layout:
    fixed: list[IntArray | None] = [np.array([tokenizer.special("cls")])]
    for part in pattern.parts:
        if part.kind == "field":
            fixed.append(None)
        elif part.kind == "mask":
            mask = len(fixed)
            fixed.append(np.array([tokenizer.special("mask")]))
        else:
            fixed.append(tokenizer.pieces([part.value])[0].ids)
    fixed.append(np.array([tokenizer.special("sep")]))
    own = sum(len(ids) for ids in fixed if ids is not None)
    room = settings.maximum_tokens - own
    if room < len(pattern.fields):
        raise BadInputError(
            f"windows.maximum_tokens = {settings.maximum_tokens}: the pattern itself takes {own} "
            f"tokens, and its fields need {len(pattern.fields)} or more; raise it"
        )
    return _Layout(tuple(fixed), mask, room, settings.overlap_tokens)


def _windows(document: Document, layout: _Layout, fields: Sequence[_Field]) -> Iterator[Window]:
    shares = _shares([len(field.pieces.ids) for field in fields], layout.room)
    ranges = [
        stretches(field.pieces, share, layout.overlap)
        for field, share in zip(fields, shares, strict=True)
    ]
    counts = [len(some) for some in ranges]
    check_windows(document.id, counts, whole=layout.room // len(fields))
    for chosen in product(*ranges):
        yield _window(layout, fields, chosen)


def _shares(lengths: Sequence[int], room: int) -> list[int]:
    """How many pieces of each field a row has: short fields whole, long ones alike."""
    shares = [0] * len(lengths)
    shortest_first = sorted(range(len(lengths)), key=lengths.__getitem__)
    for done, number in enumerate(shortest_first):
        shares[number] = min(lengths[number], room // (len(lengths) - done))
        room -= shares[number]
    return shares


def _window(layout: _Layout, fields: Sequence[_Field], chosen: Sequence[PieceRange]) -> Window:
    ids: list[IntArray] = []
    offsets: list[IntArray] = []
    words: list[IntArray] = []
    filled = iter(zip(fields, chosen, strict=True))
    mark = word_count = 0
    for number, fixed in enumerate(layout.fixed):
        if number == layout.mask:
            mark = sum(map(len, ids))
        if fixed is not None:
            ids.append(fixed)
            offsets.append(np.full((len(fixed), 2), -1, dtype=np.int64))
            words.append(np.full(len(fixed), -1, dtype=np.int64))
            continue
        field, part = next(filled)
        pieces, stretch = field.pieces, slice(part.start, part.stop)
        ids.append(pieces.ids[stretch])
        offsets.append(pieces.offsets[stretch] + field.span.start)
        words.append(pieces.words[stretch] + word_count)
        word_count += int(pieces.words.max(initial=-1)) + 1
    token_ids = np.concatenate(ids)
    return Window(
        token_ids=token_ids,
        segment_ids=np.zeros_like(token_ids),
        offsets=np.concatenate(offsets),
        words=np.concatenate(words),
        owned=slice(mark, mark + 1),
        marks=np.array([mark], dtype=np.int64),
    )
