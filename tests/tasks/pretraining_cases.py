"""What the tests of pretraining share: a vocabulary, shards of random pieces, masked rows."""

import numpy as np

from biobert.data.shards import TokenShard
from biobert.tasks.pretraining import MaskedRows, Pretraining, masking_vocabulary
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
VOCABULARY = masking_vocabulary(TOKENIZER, ("", "NN", "DT"))
SPECIAL = TOKENIZER.special_ids()


def toy_shard(
    documents: int = 300, *, seed: int = 1, longest_sentence: int = 60, tagged: bool = False
) -> TokenShard:
    """Random pieces; document and sentence lengths vary."""
    generator = np.random.default_rng(seed)
    sentences = generator.integers(1, 25, size=documents)
    lengths = generator.integers(1, longest_sentence + 1, size=int(sentences.sum()))
    tokens = generator.choice(VOCABULARY.drawable, size=int(lengths.sum())).astype(np.uint16)
    tags = generator.integers(0, 3, size=len(tokens)).astype(np.uint8) if tagged else None
    return TokenShard(tokens, np.cumsum(lengths), np.cumsum(sentences), tags)


def masked(task: Pretraining, shard: TokenShard, *, packed: int = 1, seed: int = 1) -> MaskedRows:
    generator = np.random.default_rng(seed)
    pool = task.draw([shard], length=64, generator=generator)
    numbers = np.arange(len(pool) // packed * packed).reshape(-1, packed)
    return task.masked(pool, list(numbers), VOCABULARY, generator)
