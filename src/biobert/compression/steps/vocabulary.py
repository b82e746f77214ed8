"""Keep the word pieces that the corpora use: WordPiece splits their text as before."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer as Backend
from tokenizers.models import WordPiece

from biobert.compression.workbench import Workbench, open_learner, own_encoder, write_learner
from biobert.core.document import Document
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.task import Task
from biobert.model.surgery import with_vocabulary
from biobert.text.tokenizer import Tokenizer
from biobert.text.vocabulary import CONTINUATION
from biobert.training.sources import Learner

PREDICTING = ("vocabulary", "cloze", "text")
"""Heads that answer with word pieces."""
TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class VocabularyPruning:
    """Pieces that come at least `minimum_count` times in the corpora stay, and with them special
    tokens and all single characters. Only with 1 are the corpora split as before."""

    minimum_count: int = 1

    def __post_init__(self) -> None:
        if self.minimum_count < 1:
            raise BadInputError(f"[[steps]] minimum_count = {self.minimum_count}: at least 1")


SETTINGS = VocabularyPruning


def apply(
    source: Path, target: Path, settings: VocabularyPruning, bench: Workbench
) -> Mapping[str, Any]:
    """The folder with fewer rows of word embeddings and a tokenizer to match."""
    learner = open_learner(source)
    encoder = own_encoder(learner, "vocabulary")
    if any(head.kind in PREDICTING for head in learner.network.specs):
        raise BadInputError("vocabulary: this model answers with word pieces and keeps them all")
    old = learner.tokenizer
    documents = list(bench.documents())
    texts = [document.text for document in documents]
    counts = count_pieces(old, texts) + _count_in_rows(learner.task, documents, old)
    new = without_pieces(old, np.flatnonzero(counts < settings.minimum_count).tolist())
    if settings.minimum_count == 1:
        _check_same_pieces(old, new, texts)
        _check_same_rows(learner.task, documents, old, new)
    learner.network.encoder = with_vocabulary(encoder, old, new).encoder
    write_learner(Learner(learner.task, new, learner.network), source, target)
    return {"pieces": [old.vocabulary_size, new.vocabulary_size]}


def count_pieces(tokenizer: Tokenizer, texts: Sequence[str]) -> np.ndarray:
    """(vocabulary,) how often each piece comes."""
    counts = np.zeros(tokenizer.vocabulary_size, dtype=np.int64)
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        for pieces in tokenizer.pieces(texts[start : start + TEXTS_AT_ONCE]):
            counts += np.bincount(pieces.ids, minlength=len(counts))
    return counts


def _count_in_rows(task: Task, documents: Sequence[Document], tokenizer: Tokenizer) -> np.ndarray:
    """(vocabulary,) the same of the rows that a task makes: it may write marks and types there."""
    counts = np.zeros(tokenizer.vocabulary_size, dtype=np.int64)
    for ids in _rows(task, documents, tokenizer):
        counts += np.bincount(ids, minlength=len(counts))
    return counts


def _rows(
    task: Task, documents: Sequence[Document], tokenizer: Tokenizer
) -> Iterator[npt.NDArray[np.int64]]:
    for document in documents:
        for windows in task.encode(task.examples(document), tokenizer):
            for window in windows:
                yield window.token_ids


def without_pieces(tokenizer: Tokenizer, unwanted: Sequence[int]) -> Tokenizer:
    """A WordPiece tokenizer without these pieces, but with all special tokens and single
    characters; what stays keeps its order.

    WordPiece takes the longest piece that fits (Wu et al. 2016, arXiv:1609.08144): with pieces gone
    that a text does not use, the same ones are the longest in it.
    """
    if not isinstance(tokenizer.backend.model, WordPiece):
        kind = type(tokenizer.backend.model).__name__
        raise BadInputError(f"vocabulary: the tokenizer is {kind}; only WordPiece can lose pieces")
    names = {number: piece for piece, number in tokenizer.backend.get_vocab().items()}
    added = set(tokenizer.backend.get_added_tokens_decoder())
    goes = {
        number
        for number in unwanted
        if number not in added and len(names[number].removeprefix(CONTINUATION)) > 1
    }
    kept = [names[number] for number in sorted(names) if number not in goes]
    numbers = {piece: number for number, piece in enumerate(kept)}
    tables = json.loads(tokenizer.backend.to_str())
    tables["model"]["vocab"] = {
        piece: numbers[piece] for piece in tables["model"]["vocab"] if piece in numbers
    }
    for token in tables["added_tokens"]:
        token["id"] = numbers[token["content"]]
    _renumber(tables["post_processor"], numbers)
    return Tokenizer(Backend.from_str(json.dumps(tables)))


def _renumber(processor: Any, numbers: Mapping[str, int]) -> None:
    """Give the special tokens that stand around a text their new numbers."""
    if not isinstance(processor, dict):
        return
    for role in ("sep", "cls"):
        if role in processor:
            processor[role] = [processor[role][0], numbers[processor[role][0]]]
    for token in processor.get("special_tokens", {}).values():
        token["ids"] = [numbers[piece] for piece in token["tokens"]]
    for inner in processor.get("processors", ()):
        _renumber(inner, numbers)


def _check_same_pieces(old: Tokenizer, new: Tokenizer, texts: Sequence[str]) -> None:
    old_names, new_names = _names(old), _names(new)
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        some = texts[start : start + TEXTS_AT_ONCE]
        for before, after in zip(old.pieces(some), new.pieces(some), strict=True):
            if [old_names[one] for one in before.ids] != [new_names[one] for one in after.ids]:
                raise BiobertError("vocabulary: the pruned tokenizer splits a text otherwise")


def _check_same_rows(
    task: Task, documents: Sequence[Document], old: Tokenizer, new: Tokenizer
) -> None:
    old_names, new_names = _names(old), _names(new)
    for before, after in zip(_rows(task, documents, old), _rows(task, documents, new), strict=True):
        if [old_names[one] for one in before] != [new_names[one] for one in after]:
            raise BiobertError("vocabulary: the pruned tokenizer makes another row of a text")


def _names(tokenizer: Tokenizer) -> dict[int, str]:
    return {number: piece for piece, number in tokenizer.backend.get_vocab().items()}
