"""Token ids of plenty of text: each distinct word meets the tokenizer once.

BERT's WordPiece looks at a word without its neighbours, so the ids of a text are those of its words
in a row. Remembering words is about ten times faster than tokenizing the text they stand in.
"""

import json
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from biobert.text.tokenizer import Tokenizer, without_surrogates

LARGEST_MEMORY = 500_000
"""In words; the memory starts anew when it is full (about 100 MB)."""
LONGEST_WORD = 64
"""In characters: longer ones hardly come twice, and are not remembered."""


ID_BYTES = 4
# BERT's pre-tokenizer parts every sign of ASCII from what stands around it.
PARTS = re.compile(f"[{re.escape(string.punctuation)}]|[^{re.escape(string.punctuation)}]+")


@dataclass(frozen=True, slots=True, eq=False)
class TokenRows:
    """Token ids of several texts in a row; `lengths` (texts,) says how many each of them has."""

    ids: npt.NDArray[np.uint32]
    lengths: npt.NDArray[np.uint32]


class WordMemory:
    """Token ids of texts without special tokens, equal to the tokenizer's own.

    White space and control characters must be folded to blanks before (`data/cleaning.py` does):
    the tokenizer drops control characters where Python takes them for blanks.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.by_word = _reads_word_by_word(tokenizer)
        self._known: dict[str, bytes] = {}

    def ids(self, texts: Sequence[str]) -> TokenRows:
        """The ids of the texts."""
        if not self.by_word:
            rows = [self._encode(text) for text in texts]
            lengths = np.array([len(row) for row in rows], dtype=np.uint32)
            return TokenRows(np.array(list(chain.from_iterable(rows)), dtype=np.uint32), lengths)
        split = [text.split() for text in texts]
        pieces = self._pieces(list(chain.from_iterable(split)))
        until = np.zeros(len(pieces) + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, pieces), np.int64, len(pieces)), out=until[1:])
        ends = until[np.cumsum([len(words) for words in split], dtype=np.int64)]
        lengths = np.diff(ends, prepend=0) // ID_BYTES
        return TokenRows(np.frombuffer(b"".join(pieces), np.uint32), lengths.astype(np.uint32))

    def _pieces(self, words: Sequence[str]) -> list[bytes]:
        known = self._known
        new = set(words).difference(known)
        if len(known) + len(new) > LARGEST_MEMORY:
            known.clear()
            new = set(words)
        for word in new:
            known[word] = self._learnt(word)
        pieces = list(map(known.__getitem__, words))
        for word in new:
            if len(word) > LONGEST_WORD:
                del known[word]
        return pieces

    def _learnt(self, word: str) -> bytes:
        """Most new words are old ones with a comma, a bracket or a sign between."""
        parts = PARTS.findall(word)
        if len(parts) == 1:
            return _packed(self._encode(word))
        return b"".join(map(self._part, parts))

    def _part(self, part: str) -> bytes:
        found = self._known.get(part)
        if found is None:
            found = _packed(self._encode(part))
            if len(part) <= LONGEST_WORD:
                self._known[part] = found
        return found

    def _encode(self, text: str) -> list[int]:
        # One by one: as fast for single words, and on this thread alone, whatever the backend's
        # own threads are, so that many processes do not fight for the cores.
        found: list[int] = self.tokenizer.backend.encode(
            without_surrogates(text), add_special_tokens=False
        ).ids
        return found


def _packed(ids: Sequence[int]) -> bytes:
    """As they stand in an array: many of them are joined far quicker than many tuples."""
    return np.array(ids, dtype=np.uint32).tobytes()


def _reads_word_by_word(tokenizer: Tokenizer) -> bool:
    """Whether white space parts what this tokenizer looks at together."""
    parts = json.loads(tokenizer.backend.to_str())
    normalizer = parts["normalizer"] or {"type": "BertNormalizer"}
    pre_tokenizer = parts["pre_tokenizer"] or {"type": None}
    return (
        parts["model"].get("type", "WordPiece") == "WordPiece"
        and normalizer["type"] in ("BertNormalizer", "Lowercase")
        and pre_tokenizer["type"] == "BertPreTokenizer"
        and all(token["special"] for token in parts["added_tokens"])
    )
