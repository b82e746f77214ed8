"""Building small corpora, and looking at what came of it."""

import hashlib
from pathlib import Path
from typing import Any

from biobert.data.building import CorpusSettings, Ingredients, Run, build_corpus
from biobert.data.rejects import Rejects
from biobert.data.shards import CorpusManifest, Split, open_corpus
from biobert.data.sources import find_sources
from biobert.data.workers import LocalEngine
from tests.tiny import tiny_tokenizer

SMALL = CorpusSettings(packet_bytes=3000, shard_tokens=4000, heldout_share=0.2)


def build(folder: Path, output: Path, **changes: Any) -> CorpusManifest:
    """Build all that is in a folder."""
    settings = changes.pop("settings", SMALL)
    run = Run(
        LocalEngine(changes.pop("workers", 1)),
        start=changes.pop("start", "new"),
        rejects=changes.pop("rejects", None) or Rejects(),
    )
    names = changes.pop("names", [str(folder)])
    sources = find_sources(names, format=None, data_root=folder, cache=folder)
    ingredients = Ingredients(tiny_tokenizer(), **changes)
    return build_corpus(sources, output, ingredients, settings, run)


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
