"""Token ids of plenty of text: each distinct word meets the tokenizer once.

BERT's WordPiece looks at a word without its neighbours, so the ids of a text are those of its words
in a row. Remembering words is about ten times faster than tokenizing the text they stand in.
"""

import json
from collections.abc import Sequence
from itertools import chain

from biobert.text.tokenizer import Tokenizer

LARGEST_MEMORY = 500_000
"""In words; the memory starts anew when it is full (about 100 MB)."""
LONGEST_WORD = 64
"""In characters: longer ones hardly come twice, and are not remembered."""


class WordMemory:
    """Token ids of texts without special tokens, equal to the tokenizer's own.

    White space and control characters must be folded to blanks before (`data/cleaning.py` does):
    the tokenizer drops control characters where Python takes them for blanks.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.by_word = _reads_word_by_word(tokenizer)
        self._known: dict[str, tuple[int, ...]] = {}

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text."""
        if not self.by_word:
            return self._encode(texts)
        split = [text.split() for text in texts]
        new = self._learn(set().union(*split))
        ids_of = self._known.__getitem__
        rows = [list(chain.from_iterable(map(ids_of, words))) for words in split]
        for word in new:
            if len(word) > LONGEST_WORD:
                del self._known[word]
        return rows

    def _learn(self, wanted: set[str]) -> list[str]:
        new = list(wanted.difference(self._known))
        if len(self._known) + len(new) > LARGEST_MEMORY:
            self._known.clear()
            new = list(wanted)
        self._known.update(zip(new, map(tuple, self._encode(new)), strict=True))
        return new

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        # One by one: as fast for single words, and on this thread alone, whatever the backend's
        # own threads are, so that many processes do not fight for the cores.
        encode = self.tokenizer.backend.encode
        return [encode(text, add_special_tokens=False).ids for text in texts]


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
