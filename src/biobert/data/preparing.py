"""What a worker does with a packet: from raw pieces to token ids that only wait to be written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer as Backend

from biobert.core.document import Document, Span
from biobert.data.cleaning import FilterSettings, Removed, cleaned, reason_to_drop, unreadable
from biobert.data.contamination import TestSplits, without_sentences
from biobert.data.duplicates import DuplicateSettings, MinHash, Signature, fingerprint
from biobert.data.formats.pubmed import DELETED
from biobert.data.licences import licence_of
from biobert.data.packets import DAMAGED, Packet, Piece, documents_of
from biobert.data.rejects import Rejects
from biobert.data.shards import UnsignedArray, token_type
from biobert.data.tagging import Tagger, Tagging, token_tags
from biobert.text.sentences import sentences_of
from biobert.text.tokenizer import Tokenizer
from biobert.text.words import WordMemory

BLOCK_CHARACTERS = 1 << 20
UNTAGGED = np.zeros(0, dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Preparation:
    """All that decides what becomes of a piece; it can be sent to another process or machine.

    `tokenizer` is the text of a `tokenizer.json`. `deleted` are PubMed numbers to drop.
    """

    tokenizer: str
    filter: FilterSettings = field(default_factory=FilterSettings)
    duplicates: DuplicateSettings = field(default_factory=DuplicateSettings)
    test_splits: TestSplits | None = None
    tagging: Tagging | None = None
    deleted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class PreparedDocument:
    """Token ids of a document with the tokens in each sentence, and what tells its duplicates."""

    tokens: UnsignedArray
    sentences: npt.NDArray[np.uint32]
    tags: npt.NDArray[np.uint8] | None
    fingerprint: bytes
    signature: Signature | None
    record: Mapping[str, Any]
    place: str


@dataclass(frozen=True, slots=True)
class PreparedPacket:
    """What came of a packet, in order. `removed` counts what was cut out of kept documents."""

    unit: int
    number: int
    documents: tuple[PreparedDocument, ...]
    rejects: Rejects
    removed: Removed


@dataclass(frozen=True, slots=True)
class _Draft:
    piece: Piece
    document: Document


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Some sentences of a document: ids, the number of them in each sentence, and tags."""

    tokens: UnsignedArray
    lengths: npt.NDArray[np.uint32]
    tags: npt.NDArray[np.uint8]


class Preparer:
    """Prepares packets, one after another, with the tools that a preparation asks for."""

    def __init__(self, preparation: Preparation) -> None:
        tokenizer = Tokenizer(Backend.from_str(preparation.tokenizer))
        self.preparation = preparation
        self.tokenizer = tokenizer
        self.words = WordMemory(tokenizer)
        self.type = token_type(tokenizer.vocabulary_size)
        near = preparation.duplicates.near == "minhash"
        self.minhash = MinHash(preparation.duplicates) if near else None
        self.tagger: Tagger | None = preparation.tagging.make() if preparation.tagging else None

    def __call__(self, packet: Packet) -> PreparedPacket:
        """What becomes of a packet."""
        rejects, removed = Rejects(), Removed()
        rejects.extend(packet.rejects)
        drafts = list(self._drafts(packet.pieces, rejects, removed))
        documents: Sequence[Document] = [draft.document for draft in drafts]
        tagged = self.tagger(documents) if self.tagger else documents
        found = []
        for draft, document in zip(drafts, tagged, strict=True):
            prepared = self._prepared(draft, document)
            if len(prepared.tokens):
                found.append(prepared)
            else:
                rejects.add(draft.piece.name, document.id, "no tokens: nothing left to read")
        return PreparedPacket(packet.unit, packet.number, tuple(found), rejects, removed)

    def _drafts(
        self, pieces: Sequence[Piece], rejects: Rejects, removed: Removed
    ) -> Iterator[_Draft]:
        for piece in pieces:
            for document in documents_of(piece, rejects):
                own: Removed = Counter()
                found = self._kept(piece, document, own)
                if isinstance(found, Document):
                    removed.update(own)
                    yield _Draft(piece, found)
                else:
                    rejects.add(piece.name, document.id, found)

    def _kept(self, piece: Piece, document: Document, removed: Removed) -> Document | str:
        """The document as it will be learnt from, or the reason why it will not."""
        if unreadable(document.text):
            what = DAMAGED if piece.kind == "text" else "damaged text"
            return f"{what}: many characters are not UTF-8; convert the file, such as with iconv"
        if document.id in self.preparation.deleted:
            return DELETED
        text = cleaned(document, removed)
        reason = reason_to_drop(text, self.preparation.filter)
        if reason is not None:
            return reason
        text = replace(text, sentences=tuple(sentences_of(text)))
        if not text.sentences:
            return "no text: nothing left to read"
        return self._untested(text, removed, loose=bool(document.sentences))

    def _untested(self, document: Document, removed: Removed, *, loose: bool) -> Document | str:
        """The document without sentences of test splits; a corpus of loose ones is kept so."""
        splits = self.preparation.test_splits
        if splits is None:
            return document
        shared = splits.shared_sentences(document)
        corpus = splits.corpus_of(document, {} if loose else shared)
        if corpus is not None:
            return f"test split of {corpus}"
        removed.update(f"test sentence of {corpus}" for corpus in shared.values())
        rest = without_sentences(document, shared)
        return rest if rest.sentences else "nothing but test sentences"

    def _prepared(self, draft: _Draft, document: Document) -> PreparedDocument:
        sentences = draft.document.sentences
        texts = [document.text[one.start : one.end] for one in sentences]
        stretches = list(_stretches(texts))
        blocks = [
            self._encoded(document, sentences[start:end], texts[start:end])
            for start, end in stretches
        ]
        tokens = np.concatenate([one.tokens for one in blocks])
        lengths = np.concatenate([one.lengths for one in blocks])
        tagged = self.preparation.tagging is not None
        return PreparedDocument(
            tokens=tokens,
            sentences=lengths[lengths > 0],
            tags=np.concatenate([one.tags for one in blocks]) if tagged else None,
            fingerprint=fingerprint("\n".join(texts[a:b]) + "\n" for a, b in stretches),
            signature=self.minhash.signature(tokens) if self.minhash and len(tokens) else None,
            record={
                "id": document.id,
                "source": draft.piece.source.name,
                "licence": licence_of(document.metadata),
                "bytes": sum(len("".join(texts[a:b]).encode()) for a, b in stretches),
            },
            place=draft.piece.name,
        )

    def _encoded(
        self, document: Document, sentences: Sequence[Span], texts: Sequence[str]
    ) -> _Block:
        if self.preparation.tagging is None:
            rows = self.words.ids(texts)
            return _Block(rows.ids.astype(self.type), rows.lengths, UNTAGGED)
        pieces = self.tokenizer.pieces(texts)
        return _Block(
            tokens=np.concatenate([one.ids for one in pieces]).astype(self.type),
            lengths=np.array([len(one.ids) for one in pieces], dtype=np.uint32),
            tags=token_tags(document, sentences, pieces, self.preparation.tagging.labels),
        )


def _stretches(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Stretches of sentences of bearable length, so that a book needs no more than a chapter."""
    start = size = 0
    for number, text in enumerate(texts):
        if size > BLOCK_CHARACTERS:
            yield start, number
            start, size = number, 0
        size += len(text)
    yield start, len(texts)
