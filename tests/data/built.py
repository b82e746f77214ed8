"""Building small corpora, and looking at what came of it."""

import hashlib
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as Backend
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from biobert.data.building import CorpusSettings, Ingredients, Run, build_corpus
from biobert.data.duplicates import DuplicateSettings
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.data.shards import CorpusManifest, Split, open_corpus
from biobert.data.sources import find_sources
from biobert.data.workers import LocalEngine
from biobert.text.tokenizer import Tokenizer
from tests.data.articles import prose
from tests.tiny import tiny_tokenizer

SMALL = CorpusSettings(packet_bytes=3000, shard_tokens=4000, heldout_share=0.2)
EXACT = DuplicateSettings(near="none")


def build(folder: Path, output: Path, **changes: Any) -> CorpusManifest:
    """Build all that is in a folder."""
    settings = changes.pop("settings", SMALL)
    rejects = changes.pop("rejects", None) or Rejects()
    run = Run(
        LocalEngine(changes.pop("workers", 1)),
        start=changes.pop("start", "new"),
        rejects=rejects,
    )
    names = changes.pop("names", [str(folder)])
    sources = find_sources(names, format=None, places=CorpusPlaces(folder, folder), rejects=rejects)
    ingredients = Ingredients(changes.pop("tokenizer", None) or tiny_tokenizer(), **changes)
    return build_corpus(sources, output, ingredients, settings, run)


def word_tokenizer() -> Tokenizer:
    """Whole words of the written articles, so that a text has no more tokens than it would have."""
    words = " ".join(prose(number, 50) for number in range(20)).lower().replace(".", " .").split()
    pieces = dict.fromkeys(["[UNK]", "[SEP]", *"0123456789;.", *words])
    ids = {piece: number for number, piece in enumerate(pieces)}
    backend = Backend(WordPiece(ids, unk_token="[UNK]"))
    backend.normalizer = BertNormalizer(lowercase=True)
    backend.pre_tokenizer = BertPreTokenizer()
    backend.add_special_tokens(["[UNK]", "[SEP]"])
    return Tokenizer(backend)


def large_tokenizer() -> Tokenizer:
    """The tiny one with so many words that its file is larger than a shard."""
    tokenizer = tiny_tokenizer()
    tokenizer.backend.add_tokens([f"never{number}" for number in range(500)])
    return tokenizer


def checksums(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def identifiers(folder: Path, *splits: Split) -> list[str]:
    return [
        record["id"]
        for split in splits or ("train", "heldout")
        for corpus in [open_corpus(folder, split)]
        for number in range(len(corpus.shards))
        for record in corpus.document_records(number)
    ]
