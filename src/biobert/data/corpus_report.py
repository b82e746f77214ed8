"""Looking at a corpus of token ids: lengths and tags of its sentences, and some of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import numpy.typing as npt

from biobert.data.shards import TokenCorpus

QUANTILES = {"shortest": 0.0, "5%": 0.05, "median": 0.5, "95%": 0.95, "longest": 1.0}


@dataclass(frozen=True, slots=True)
class SampleSentence:
    """A sentence of the corpus; `tags` are values of the tag array, where there is one."""

    split: str
    document: str
    token_ids: tuple[int, ...]
    tags: tuple[int, ...] = ()


def tokens_per_sentence(corpora: Sequence[TokenCorpus]) -> dict[str, int]:
    """Quantiles over all sentences; none for a corpus without sentences."""
    lengths = [
        np.diff(corpus.load(number).sentence_ends, prepend=0)
        for corpus in corpora
        for number in range(len(corpus.shards))
    ]
    if not lengths:
        return {}
    found = np.quantile(np.concatenate(lengths), list(QUANTILES.values()), method="nearest")
    return dict(zip(QUANTILES, found.astype(int).tolist(), strict=True))


def tag_counts(corpora: Sequence[TokenCorpus]) -> dict[str, int]:
    """How many tokens have each tag, the most frequent first; `-` stands for none."""
    counts: Counter[str] = Counter()
    for corpus in corpora:
        for number in range(len(corpus.shards)):
            tags = corpus.load(number).tags
            if tags is not None:
                found = np.bincount(tags, minlength=len(corpus.manifest.tags)).tolist()
                names = (name or "-" for name in corpus.manifest.tags)
                counts.update(dict(zip(names, found, strict=True)))
    return {name: count for name, count in counts.most_common() if count}


def sample_sentences(
    corpora: Sequence[TokenCorpus], count: int, *, seed: int
) -> Iterator[SampleSentence]:
    """Sentences drawn at random, each as likely as any other; the same for the same seed."""
    random = Random(seed)
    shards = [(corpus, number) for corpus in corpora for number in range(len(corpus.shards))]
    sizes = [corpus.shards[number].sentences for corpus, number in shards]
    if not sum(sizes):
        return
    for corpus, number in random.choices(shards, weights=sizes, k=count):
        yield _sentence(corpus, number, random.randrange(corpus.shards[number].sentences))


def _sentence(corpus: TokenCorpus, number: int, sentence: int) -> SampleSentence:
    shard = corpus.load(number)
    start = int(shard.sentence_ends[sentence - 1]) if sentence else 0
    end = int(shard.sentence_ends[sentence])
    document = int(np.searchsorted(shard.document_ends, sentence, side="right"))
    records = corpus.document_records(number)
    identifier = next(one["id"] for place, one in enumerate(records) if place == document)
    return SampleSentence(
        split=corpus.shards[number].split,
        document=identifier,
        token_ids=_listed(shard.tokens[start:end]),
        tags=() if shard.tags is None else _listed(shard.tags[start:end]),
    )


def _listed(values: npt.NDArray[np.unsignedinteger]) -> tuple[int, ...]:
    found: list[int] = values.tolist()
    return tuple(found)
