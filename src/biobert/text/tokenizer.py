"""The tokenizer: text to word pieces with character offsets, on the `tokenizers` backend."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from tokenizers import AddedToken, Regex
from tokenizers import Tokenizer as Backend
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.implementations import BertWordPieceTokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, Split
from tokenizers.pre_tokenizers import Sequence as InTurn

from biobert.core.errors import BadInputError
from biobert.core.files import written_whole
from biobert.core.task import Pieces

VOCABULARY_FILES = ("tokenizer.json", "vocab.txt")
"""Either is enough for a tokenizer."""
TOKENIZER_FILES = (*VOCABULARY_FILES, "tokenizer_config.json")
SpecialRole = Literal["cls", "sep", "pad", "mask", "unk"]

SPECIAL_TOKENS: dict[SpecialRole, tuple[str, ...]] = {
    "cls": ("[CLS]", "<s>", "<cls>"),
    "sep": ("[SEP]", "</s>", "<sep>"),
    "pad": ("[PAD]", "<pad>"),
    "mask": ("[MASK]", "<mask>"),
    "unk": ("[UNK]", "<unk>"),
}
SURROGATES = re.compile("[\ud800-\udfff]")
BERT_WORDS = InTurn([Split(Regex(r"\p{Han}"), "isolated"), BertPreTokenizer()])
"""White space, every sign of punctuation and every Chinese character part words."""


class Tokenizer:
    """Word pieces of texts, never truncated or padded, and never a special token from the text.

    A text that contains `[SEP]` literally is tokenized as ordinary characters, so input cannot
    forge the structure of a row.
    """

    def __init__(self, backend: Backend) -> None:
        # Checkpoints carry both settings inside tokenizer.json (MiniLM truncates at 128).
        backend.no_padding()
        backend.no_truncation()
        backend.encode_special_tokens = True
        self.backend = backend
        self._special = {role: _find(backend, role) for role in SPECIAL_TOKENS}

    @classmethod
    def from_folder(cls, folder: Path) -> "Tokenizer":
        """The tokenizer of a model folder: `tokenizer.json`, or `vocab.txt` of a BERT model."""
        if (folder / "tokenizer.json").is_file():
            return cls(_from_json(folder / "tokenizer.json"))
        if (folder / "vocab.txt").is_file():
            return cls(_from_vocabulary(folder))
        raise BadInputError(
            f"{folder}: no tokenizer.json and no vocab.txt; copy them from the base checkpoint",
            code="not-found",
        )

    @property
    def vocabulary_size(self) -> int:
        """How many ids there are, special and added tokens included."""
        return self.backend.get_vocab_size(with_added_tokens=True)

    @cached_property
    def known_ids(self) -> npt.NDArray[np.int64]:
        """(n,) the ids that stand for a piece, in order."""
        ids = self.backend.get_vocab(with_added_tokens=True).values()
        return np.array(sorted(ids), dtype=np.int64)

    def check_embeddings(self, count: int, *, place: Path | str) -> None:
        """An error where a checkpoint with so many word embeddings has none for some of the ids.

        More of them than ids are normal: many checkpoints pad their table.
        """
        if self.vocabulary_size > count:
            raise BadInputError(
                f"{place}: the tokenizer has {self.vocabulary_size} pieces, the checkpoint "
                f"{count} word embeddings; give it the tokenizer that it was trained with (to "
                "train with more pieces, name the folder of the larger one in model.vocabulary)"
            )

    def fingerprint(self) -> str:
        """A SHA-256 of pieces and ids: tokenizers that differ in it give ids that do not mix."""
        pieces = sorted(self.backend.get_vocab(with_added_tokens=True).items())
        return hashlib.sha256(json.dumps(pieces).encode()).hexdigest()

    def special(self, role: SpecialRole) -> int:
        """The id of a special token; an error when the vocabulary has none for the role."""
        token_id = self._special[role]
        if token_id is None:
            names = " or ".join(SPECIAL_TOKENS[role])
            raise BadInputError(f"the tokenizer has no {role} token ({names})")
        return token_id

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Word pieces of each text without special tokens, with offsets into that text.

        Words are BERT's, or smaller where the tokenizer parts more, whatever tokenizer it is.
        """
        texts = [without_surrogates(text) for text in texts]
        encodings = self.backend.encode_batch(texts, add_special_tokens=False)
        found = [_pieces(*pair) for pair in zip(texts, encodings, strict=True)]
        if isinstance(self.backend.pre_tokenizer, BertPreTokenizer):
            return found
        return [_parted(*pair) for pair in zip(texts, found, strict=True)]

    def text(self, ids: Sequence[int]) -> str:
        """The text that ids stand for, without special tokens and with usual blanks.

        Ids forget what the tokenizer did: lower case stays lower, and blanks are guessed.
        """
        if self.backend.decoder is None and isinstance(self.backend.model, WordPiece):
            self.backend.decoder = WordPieceDecoder()
        text: str = self.backend.decode(list(ids), skip_special_tokens=True)
        return text.strip()

    def continuations(self) -> npt.NDArray[np.bool_]:
        """(vocabulary,) True for pieces that go on with a word (`##ase`) and so never begin one."""
        names = [self.backend.id_to_token(number) or "" for number in range(self.vocabulary_size)]
        # Byte-level and SentencePiece vocabularies mark the beginnings instead.
        marks = tuple(mark for mark in ("\u0120", "\u2581") if any(mark in name for name in names))
        if marks:
            flags = [not name.startswith(marks) for name in names]
        else:
            flags = [name.startswith("##") and len(name) > 2 for name in names]
        continues = np.array(flags, dtype=np.bool_)
        continues[self.special_ids()] = False
        return continues

    def special_ids(self) -> list[int]:
        """The ids of the special tokens, in order."""
        return sorted(
            number
            for number, token in self.backend.get_added_tokens_decoder().items()
            if token.special
        )

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json` and the `tokenizer_config.json` that transformers reads.

        Each appears whole or not at all; BiobertError names a full disk.
        """
        # The backend's own saving leaves half a file, and raises a bare Exception.
        with written_whole(folder / "tokenizer.json") as stream:
            stream.write(self.backend.to_str(pretty=True).encode())
        # transformers opens any tokenizer as the first, but the second gives segment ids as well.
        normalizer = self.backend.normalizer
        is_bert = isinstance(normalizer, BertNormalizer)
        is_bert &= isinstance(self.backend.model, WordPiece)
        name = "BertTokenizer" if is_bert else "PreTrainedTokenizerFast"
        config: dict[str, Any] = {"tokenizer_class": name}
        for role, token_id in self._special.items():
            if token_id is not None:
                config[f"{role}_token"] = str(self.backend.id_to_token(token_id))
        if isinstance(normalizer, BertNormalizer):
            config["do_lower_case"] = normalizer.lowercase
            config["strip_accents"] = normalizer.strip_accents
            config["tokenize_chinese_chars"] = normalizer.handle_chinese_chars
        with written_whole(folder / "tokenizer_config.json") as stream:
            stream.write(f"{json.dumps(config, indent=2)}\n".encode())


def without_surrogates(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair, which the tokenizers refuse: as long
    as it was, so that offsets hold."""
    return text if text.isascii() else SURROGATES.sub("\ufffd", text)


def _pieces(text: str, encoding: Any) -> Pieces:
    return Pieces(
        ids=np.array(encoding.ids, dtype=np.int64),
        offsets=np.array(
            [_without_blanks(text, start, end) for start, end in encoding.offsets], dtype=np.int64
        ).reshape(-1, 2),
        words=np.array(encoding.word_ids, dtype=np.int64),
    )


def _parted(text: str, pieces: Pieces) -> Pieces:
    """The pieces with a new word wherever BERT has one, too.

    To SentencePiece `(lithium),` is one word, whose name could not be told from its brackets.
    """
    borders = [place for _, span in BERT_WORDS.pre_tokenize_str(text) for place in span]
    # Odd inside a word, where the bytes of one sign lie too; even at a blank of its own.
    parts = np.searchsorted(borders, pieces.offsets[:, 0], side="right")
    begins = np.diff(np.stack([pieces.words, parts]), axis=1).any(axis=0) | (parts[1:] % 2 == 0)
    return replace(pieces, words=np.append(0, np.cumsum(begins))[: len(parts)])


def _without_blanks(text: str, start: int, end: int) -> tuple[int, int]:
    """Some tokenizers (DeBERTa's) count the blank before a word to it."""
    while start < end and text[start].isspace():
        start += 1
    return start, end


def _find(backend: Backend, role: SpecialRole) -> int | None:
    ids = (backend.token_to_id(token) for token in SPECIAL_TOKENS[role])
    return next((token_id for token_id in ids if token_id is not None), None)


def _from_json(path: Path) -> Backend:
    try:
        backend = Backend.from_file(str(path))
    except Exception as problem:  # noqa: BLE001 - tokenizers raises nothing more exact
        raise _unreadable(path, problem) from None
    return _checked(backend, path)


def _from_vocabulary(folder: Path) -> Backend:
    path = folder / "vocab.txt"
    config = _config(folder / "tokenizer_config.json")
    # BioBERT's own folders carry no tokenizer_config.json and are cased.
    try:
        tokenizer = BertWordPieceTokenizer(
            str(path),
            lowercase=bool(config.get("do_lower_case", False)),
            strip_accents=config.get("strip_accents"),
            handle_chinese_chars=bool(config.get("tokenize_chinese_chars", True)),
        )
    except Exception as problem:  # noqa: BLE001 - tokenizers raises nothing more exact
        raise _unreadable(path, problem) from None
    backend: Backend = _checked(tokenizer._tokenizer, path)
    specials = [names[0] for names in SPECIAL_TOKENS.values()]
    backend.add_special_tokens([AddedToken(name, special=True) for name in specials])
    return backend


def _config(path: Path) -> dict[str, Any]:
    """What `tokenizer_config.json` says, if there is one."""
    if not path.is_file():
        return {}
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise BadInputError(f"{path}: not JSON: {problem}; copy it again") from None
    if not isinstance(config, dict):
        raise BadInputError(f"{path}: no object of settings; copy it again")
    return config


def _checked(backend: Backend, path: Path) -> Backend:
    """The tokenizer; an error where the first unknown word would break it."""
    model = backend.model
    if isinstance(model, WordPiece) and model.unk_token not in backend.get_vocab(False):
        raise _unreadable(path, f"no piece {model.unk_token} for what is unknown")
    return backend


def _unreadable(path: Path, problem: Exception | str) -> BadInputError:
    return BadInputError(f"{path}: not a tokenizer: {problem}; copy it again")
