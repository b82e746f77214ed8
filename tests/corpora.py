"""A small pretraining corpus on disk, from sentences that a tiny model can learn."""

from pathlib import Path

import numpy as np

from biobert.data.shards import CorpusManifest, ShardRecord, token_type, write_manifest, write_shard
from biobert.text.tokenizer import Tokenizer
from tests.tiny import tiny_tokenizer

WORDS = ("lithium", "cardiac", "arrest", "aspirin", "breast", "cancer", "diabetes", "and", "the")


def toy_sentences(generator: np.random.Generator) -> list[str]:
    """Between two and six sentences; each drug has its own disease, so that words tell."""
    pairs = (("lithium", "cardiac arrest"), ("aspirin", "breast cancer"))
    drug, disease = pairs[int(generator.integers(len(pairs)))]
    count = int(generator.integers(2, 7))
    return [f"the {drug} and the {disease} ." for _ in range(count)]


def write_toy_corpus(
    folder: Path, *, documents: int = 60, tokenizer: Tokenizer | None = None, seed: int = 1
) -> Path:
    """A corpus folder with a train and a held-out split, two shards for training."""
    tokenizer = tokenizer or tiny_tokenizer()
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(folder)
    shards = [
        _shard(folder, "train-00000", documents, tokenizer, generator),
        _shard(folder, "train-00001", documents // 2, tokenizer, generator),
        _shard(folder, "heldout-00000", documents // 4, tokenizer, generator),
    ]
    manifest = CorpusManifest(tokenizer.vocabulary_size, tokenizer.fingerprint(), tuple(shards))
    write_manifest(folder, manifest)
    return folder


def _shard(
    folder: Path,
    name: str,
    documents: int,
    tokenizer: Tokenizer,
    generator: np.random.Generator,
) -> ShardRecord:
    texts = [toy_sentences(generator) for _ in range(documents)]
    pieces = [tokenizer.pieces(sentences) for sentences in texts]
    kind = token_type(tokenizer.vocabulary_size)
    ids = [one.ids for sentences in pieces for one in sentences]
    return write_shard(
        folder,
        name,
        "train" if name.startswith("train") else "heldout",
        {
            "tokens": np.concatenate(ids).astype(kind),
            "sentences": np.array([len(one) for one in ids], dtype=np.uint32),
            "documents": np.array([len(one) for one in texts], dtype=np.uint32),
        },
        [
            {"id": f"{name}-{number}", "bytes": len("".join(sentences).encode())}
            for number, sentences in enumerate(texts)
        ],
    )
