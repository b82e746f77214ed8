"""A WordPiece vocabulary of one's own, learnt from counted words."""

import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tokenizers import Tokenizer as Backend
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import WordPieceTrainer

from biobert.core.errors import BadInputError
from biobert.core.files import write_text
from biobert.text.tokenizer import SPECIAL_TOKENS, Tokenizer

Case = Literal["uncased", "cased"]
Words = Mapping[str, int]
"""How often each word occurs."""

SPECIAL = [SPECIAL_TOKENS[role][0] for role in ("pad", "unk", "cls", "sep", "mask")]
UNKNOWN, CONTINUATION = SPECIAL[1], "##"
# Known whatever the text, so that no code, number or address is unknown after a small corpus.
ALWAYS_KNOWN = string.ascii_letters + string.digits + string.punctuation
HELD_OUT_EVERY = 50
"""In documents."""
LARGEST_MEMORY = 5_000_000
"""In words (about 0.5 GB)."""
REPEATED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class VocabularySettings:
    """`size` counts everything; of other characters than ASCII, the most frequent are kept.

    Pieces that stand side by side fewer than `minimum_count` times are not joined.
    """

    size: int = 16384
    case: Case = "uncased"
    characters: int = 1000
    minimum_count: int = 2


@dataclass(slots=True)
class WordCounts:
    """The words of the documents to learn from, and of those kept apart to measure on."""

    learnt: Counter[str] = field(default_factory=Counter)
    held_out: Counter[str] = field(default_factory=Counter)
    documents: int = 0


def count_words(texts: Iterable[str], *, memory: int = LARGEST_MEMORY) -> WordCounts:
    """The words of a stream of documents, between white space; every 50th is held out.

    When there are more than `memory` distinct words, the rarest are forgotten (lossy counting,
    Manku and Motwani 2002): the frequent ones decide what becomes a piece.
    """
    counts = WordCounts()
    floor = 0
    for counts.documents, text in enumerate(texts, start=1):
        is_held_out = counts.documents % HELD_OUT_EVERY == 0
        (counts.held_out if is_held_out else counts.learnt).update(text.split())
        while len(counts.learnt) + len(counts.held_out) > memory:
            floor += 1
            counts.learnt = _above(floor, counts.learnt)
            counts.held_out = _above(floor, counts.held_out)
    return counts


def train_vocabulary(words: Words, settings: VocabularySettings) -> Tokenizer:
    """A tokenizer learnt from words; the same words give the same ids, in every run.

    `tokenizers` joins the most frequent pair of pieces, as BPE does, and its trainer alone is not
    repeatable: it numbers single `##` characters in the order of a hash table and breaks ties by
    those numbers (huggingface/tokenizers issue 1794). Here they are given, with fixed numbers.
    """
    counts = split_at_punctuation(words, _normalizer(settings.case).normalize_str)
    if not counts:
        raise BadInputError("no text to learn a vocabulary from: the sources hold no words")
    characters = _characters(counts, settings)
    counts = Counter({word: count for word, count in counts.items() if characters.issuperset(word)})
    given = [*SPECIAL, *_single_pieces(counts, characters)]
    if settings.size < len(given):
        raise BadInputError(
            f"a vocabulary of {settings.size} pieces is too small for this text: it needs "
            f"{len(given)} for special tokens and single characters; ask for a larger --size"
        )
    learner = Backend(WordPiece({UNKNOWN: 0}, unk_token=UNKNOWN))
    learner.pre_tokenizer = WhitespaceSplit()
    trainer = WordPieceTrainer(
        vocab_size=settings.size,
        min_frequency=settings.minimum_count,
        special_tokens=given,
        continuing_subword_prefix=CONTINUATION,
        show_progress=False,
    )
    learner.train_from_iterator(_repeated(counts), trainer)
    return word_piece_tokenizer(learner.get_vocab(), settings.case)


def word_piece_tokenizer(vocabulary: Mapping[str, int], case: Case) -> Tokenizer:
    """BERT's tokenizer with these pieces; `uncased` folds case and accents."""
    backend = Backend(WordPiece(dict(vocabulary), unk_token=UNKNOWN))
    backend.normalizer = _normalizer(case)
    backend.pre_tokenizer = BertPreTokenizer()
    backend.decoder = WordPieceDecoder(prefix=CONTINUATION)
    backend.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(one, vocabulary[one]) for one in ("[CLS]", "[SEP]")],
    )
    backend.add_special_tokens(SPECIAL)
    return Tokenizer(backend)


def save_vocabulary(tokenizer: Tokenizer, folder: Path) -> None:
    """Write a tokenizer folder: `tokenizer.json`, `tokenizer_config.json` and `vocab.txt`."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(folder)
    ids = tokenizer.backend.get_vocab(with_added_tokens=True)
    with write_text(folder / "vocab.txt") as stream:
        stream.writelines(f"{piece}\n" for piece in sorted(ids, key=ids.__getitem__))


def split_at_punctuation(words: Words, fold: Callable[[str], str] = str) -> Counter[str]:
    """Folded words, parted as BERT's tokenizer parts them: each punctuation mark is one."""
    splitter = BertPreTokenizer()
    parts: Counter[str] = Counter()
    for word, count in words.items():
        for part, _ in splitter.pre_tokenize_str(fold(word)):
            parts[part] += count
    return parts


def _above(floor: int, words: Words) -> Counter[str]:
    return Counter({word: count for word, count in words.items() if count > floor})


def _normalizer(case: Case) -> BertNormalizer:
    return BertNormalizer(lowercase=case == "uncased")


def _characters(words: Words, settings: VocabularySettings) -> set[str]:
    """ASCII as the case allows, and the most frequent others."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    always = ALWAYS_KNOWN if settings.case == "cased" else ALWAYS_KNOWN.lower()
    others = sorted(counts.keys() - set(always), key=lambda one: (-counts[one], one))
    return {*always, *others[: settings.characters]}


def _single_pieces(words: Iterable[str], characters: set[str]) -> list[str]:
    """All characters, then with `##` those that can stand inside a word."""
    inside = {character for word in words for character in word[1:]}
    inside.update(one for one in characters if one.isascii() and one.isalnum())
    return [*sorted(characters), *(CONTINUATION + one for one in sorted(inside))]


def _repeated(words: Words) -> Iterator[str]:
    """Every word as often as it was counted: the trainer takes text, not counts."""
    for word, count in sorted(words.items()):
        for start in range(0, count, REPEATED_AT_ONCE):
            yield " ".join([word] * min(REPEATED_AT_ONCE, count - start))
