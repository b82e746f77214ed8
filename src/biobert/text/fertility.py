"""How well a vocabulary reads: pieces per word, words left whole, words not read at all."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from biobert.text.tokenizer import Tokenizer
from biobert.text.vocabulary import WordCounts, Words, split_at_punctuation

RARE_COUNT = 3
"""A word seen less often may be a slip of the pen."""
MOST_RARE_WORDS = 5000
MOST_EXAMPLES = 12
LONG_TERM = 8
CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Figures:
    """How a tokenizer reads words. Punctuation counts in `pieces` alone.

    `whole_words` and `unknown_words` are shares: words of one piece, words with [UNK] in them.
    """

    pieces: int
    words: int
    pieces_per_word: float
    whole_words: float
    unknown_words: float


@dataclass(frozen=True, slots=True)
class VocabularyFigures:
    """One vocabulary on running text and on terms."""

    name: str
    size: int
    text: Figures
    terms: Figures


@dataclass(frozen=True, slots=True)
class SplitTerm:
    """A term, and how each vocabulary of the report splits it."""

    term: str
    splits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VocabularyReport:
    """Vocabularies side by side; `text` and `terms` say what they were measured on."""

    documents: int
    words_learnt_from: int
    text: Literal["held-out documents", "documents learnt from"]
    terms: Literal["given or annotated", "rare words"]
    term_count: int
    vocabularies: tuple[VocabularyFigures, ...]
    examples: tuple[SplitTerm, ...]


def vocabulary_report(
    tokenizers: Sequence[tuple[str, Tokenizer]], counts: WordCounts, terms: Iterable[str]
) -> VocabularyReport:
    """How each named tokenizer reads the documents and the terms.

    Without terms, the rarest words that are no accidents stand for them; with too few documents to
    hold any out, those learnt from are measured.
    """
    given = sorted(set(terms))
    chosen = given or rare_words(counts.learnt)
    running = split_at_punctuation(counts.held_out or counts.learnt)
    inside = split_at_punctuation(Counter(word for term in chosen for word in term.split()))
    return VocabularyReport(
        documents=counts.documents,
        words_learnt_from=counts.learnt.total(),
        text="held-out documents" if counts.held_out else "documents learnt from",
        terms="given or annotated" if given else "rare words",
        term_count=len(chosen),
        vocabularies=tuple(
            VocabularyFigures(
                name=name,
                size=tokenizer.vocabulary_size,
                text=figures(tokenizer, running),
                terms=figures(tokenizer, inside),
            )
            for name, tokenizer in tokenizers
        ),
        examples=tuple(_examples([tokenizer for _, tokenizer in tokenizers], chosen)),
    )


def figures(tokenizer: Tokenizer, parts: Words) -> Figures:
    """How a tokenizer reads words and punctuation marks, each as often as it occurs.

    Words are what `split_at_punctuation` gives, whatever the tokenizer makes of them, so that
    the figures of two tokenizers compare.
    """
    unknown = tokenizer.special("unk")
    punctuation_pieces = words = pieces = whole = unread = 0
    for part, ids in _encoded(tokenizer, parts):
        count = parts[part]
        if not any(map(str.isalnum, part)):
            punctuation_pieces += count * len(ids)
            continue
        words += count
        pieces += count * len(ids)
        unread += count * (unknown in ids)
        whole += count * (len(ids) == 1 and unknown not in ids)
    divisor = max(1, words)
    return Figures(
        pieces=pieces + punctuation_pieces,
        words=words,
        pieces_per_word=round(pieces / divisor, 4),
        whole_words=round(whole / divisor, 4),
        unknown_words=round(unread / divisor, 6),
    )


def rare_words(words: Words) -> list[str]:
    """Up to 5000 of the rarest words that occur at least 3 times, in alphabetical order."""
    parts = split_at_punctuation(words)
    known = [word for word, count in parts.items() if count >= RARE_COUNT and word.isalpha()]
    return sorted(sorted(known, key=lambda word: (parts[word], word))[:MOST_RARE_WORDS])


def _encoded(tokenizer: Tokenizer, parts: Iterable[str]) -> Iterator[tuple[str, list[int]]]:
    rest = iter(parts)
    while chunk := list(islice(rest, CHUNK)):
        found = tokenizer.backend.encode_batch(chunk, add_special_tokens=False)
        yield from zip(chunk, (encoding.ids for encoding in found), strict=True)


def _examples(tokenizers: Sequence[Tokenizer], terms: Sequence[str]) -> Iterator[SplitTerm]:
    """Longer terms, evenly spread, so that nobody picks the ones that look good."""
    long = [term for term in terms if len(term) >= LONG_TERM] or terms
    for term in long[:: max(1, len(long) // MOST_EXAMPLES)][:MOST_EXAMPLES]:
        splits = (one.backend.encode(term, add_special_tokens=False) for one in tokenizers)
        yield SplitTerm(term, tuple(" ".join(split.tokens) for split in splits))
