"""Batches of a pretraining run, from the shards of its corpora; and how well it predicts others."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import torch

from biobert.core.batching import packed_rows
from biobert.core.errors import BadInputError
from biobert.core.task import Score, Scores
from biobert.data.shards import TokenCorpus
from biobert.model.attention import packed_kernel_applies
from biobert.model.encoder import Encoder
from biobert.model.heads import VocabularyHead, head_loss
from biobert.model.network import Network
from biobert.tasks.pretraining import PAIRS, WORDS, Pretraining, SegmentPool, masking_vocabulary
from biobert.text.tokenizer import Tokenizer
from biobert.training.batches import POOL_BATCHES, Batch, epoch_batches, network_logits
from biobert.training.recipe import BatchSettings, StageSettings
from biobert.training.sources import EpochPlan

LENGTHS_IN_ROW = 4
"""A packed row has room for so many of the longest sequences: four leave less air than one."""
POOL_TOKENS = 1 << 27
"""Rows are shuffled within so many tokens of shards; a pool costs about 0.5 byte a token."""
EXAM_SEED = 20
PRECISIONS = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class WeighedCorpus:
    """A corpus whose shards come `times` times in an epoch."""

    corpus: TokenCorpus
    times: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class RowsKey:
    """Some rows of a pool: each lists the sequences that share it."""

    pool: SegmentPool
    rows: Sequence[np.ndarray]


class CorpusSource:
    """Rows drawn anew in every epoch: other segments, other pairs, other hidden words."""

    def __init__(
        self,
        task: Pretraining,
        tokenizer: Tokenizer,
        corpora: Sequence[WeighedCorpus],
        *,
        batches: BatchSettings,
        stages: Sequence[StageSettings],
        steps: int,
        seed: int,
    ) -> None:
        check_corpora([one.corpus for one in corpora], tokenizer)
        self._task = task
        self._vocabulary = masking_vocabulary(tokenizer, corpora[0].corpus.manifest.tags)
        self._corpora = corpora
        self._batches = batches
        self._stages = stages
        self._ends = stage_ends(stages, steps=steps)
        self._seed = seed

    @property
    def bytes_in_piece(self) -> float:
        """How many bytes of text stand behind a piece; 0 if the corpora do not tell."""
        corpora = [one.corpus for one in self._corpora]
        text_bytes = sum(shard.text_bytes for corpus in corpora for shard in corpus.shards)
        return text_bytes / sum(corpus.tokens for corpus in corpora)

    def plan(self, epoch: int, *, step: int) -> EpochPlan:
        """The epoch's batches, at the length of the stage that `step` is in; until its end."""
        stage = next(number for number, end in enumerate(self._ends) if step < end)
        return EpochPlan(self._keys(epoch, self._stages[stage].length), until=self._ends[stage])

    def count(self, epoch: int) -> None:
        """Unknown before the rows are drawn."""
        del epoch

    def batch(self, key: RowsKey, generator: np.random.Generator) -> Batch:
        """Rows with words hidden."""
        rows = self._task.masked(key.pool, key.rows, self._vocabulary, generator)
        is_packed = any(len(row) > 1 for row in key.rows)
        has_padding = bool((rows.sequence_ids == 0).any())
        mask = rows.sequence_ids if is_packed else rows.sequence_ids > 0
        targets, selected = {WORDS: rows.words[:, None]}, {WORDS: rows.places}
        if len(self._task.heads()) > 1:
            targets[PAIRS], selected[PAIRS] = rows.pairs[:, None], rows.pair_places
        return Batch(
            token_ids=torch.from_numpy(rows.token_ids),
            segment_ids=torch.from_numpy(rows.segment_ids),
            mask=torch.from_numpy(mask) if is_packed or has_padding else None,
            targets={name: torch.from_numpy(value) for name, value in targets.items()},
            tokens=int((rows.sequence_ids > 0).sum()),
            positions=torch.from_numpy(rows.positions) if is_packed else None,
            selected={name: torch.from_numpy(value) for name, value in selected.items()},
        )

    def place(self, key: RowsKey) -> str:
        """How many rows these are, and how long."""
        longest = max(int(key.pool.lengths[row].sum()) for row in key.rows)
        return f"{len(key.rows)} rows, longest {longest} tokens"

    def _keys(self, epoch: int, length: int) -> Iterator[RowsKey]:
        generator = np.random.default_rng((self._seed, epoch))
        for numbers in self._shard_groups(generator):
            shards = [self._corpora[part].corpus.load(shard) for part, shard in numbers]
            pool = self._task.draw(shards, length=length, generator=generator)
            for rows in rows_of_batches(pool.lengths, length, self._batches, generator):
                yield RowsKey(pool, rows)

    def _shard_groups(self, generator: np.random.Generator) -> Iterator[list[tuple[int, int]]]:
        """All shards in random order, as often as they are weighed, in groups that fit a pool."""
        everything = [
            (part, shard)
            for part, one in enumerate(self._corpora)
            for shard in range(len(one.corpus.shards))
            for _ in range(one.times)
        ]
        group: list[tuple[int, int]] = []
        size = 0
        for number in generator.permutation(len(everything)).tolist():
            part, shard = everything[number]
            tokens = self._corpora[part].corpus.shards[shard].tokens
            if group and size + tokens > POOL_TOKENS:
                yield group
                group, size = [], 0
            group.append((part, shard))
            size += tokens
        if group:
            yield group


class CorpusExaminer:
    """Perplexity on held-out documents, always with the same words hidden."""

    def __init__(
        self,
        task: Pretraining,
        tokenizer: Tokenizer,
        corpora: dict[str, TokenCorpus],
        *,
        batches: BatchSettings,
        length: int,
        tokens: int,
    ) -> None:
        self._task = task
        self._heads = {head.name: head for head in task.heads()}
        self._sources = {
            name: CorpusSource(
                task,
                tokenizer,
                [WeighedCorpus(corpus)],
                batches=batches,
                stages=(StageSettings(length=length),),
                steps=1,
                seed=EXAM_SEED,
            )
            for name, corpus in corpora.items()
        }
        self._tokens = tokens

    def evaluate(self, network: Network, device: torch.device) -> dict[str, Scores]:
        """For each corpus: `main` is minus the mean loss of a hidden piece; `details` the rest.

        `bits_per_byte` is that loss in bits, as if every piece cost as much, over its bytes of
        text: of models with different vocabularies, but words hidden alike, the lower is better.
        """
        was_training = network.training
        network.eval()
        # Not inference mode: sharded weights are gathered in place, and trained on afterwards.
        with torch.no_grad():
            scores = {
                name: self._score(network, source, device) for name, source in self._sources.items()
            }
        network.train(was_training)
        return scores

    def tuned(self, network: Network, device: torch.device) -> Pretraining:
        """There is nothing to choose."""
        del network, device
        return self._task

    def _score(self, network: Network, source: CorpusSource, device: torch.device) -> Scores:
        losses, right = dict.fromkeys(self._heads, 0.0), dict.fromkeys(self._heads, 0)
        counts = dict.fromkeys(self._heads, 0)
        seen = 0
        for number, key in enumerate(source.plan(0, step=0).keys):
            batch = source.batch(key, np.random.default_rng((EXAM_SEED, number))).to(device)
            logits = network_logits(network, batch)
            for name, head in self._heads.items():
                gold = batch.targets[name]
                losses[name] += float(head_loss(head, logits[name], gold)) * len(gold)
                right[name] += int((logits[name].argmax(-1) == gold[:, 0]).sum())
                counts[name] += len(gold)
            seen += batch.tokens
            if seen >= self._tokens:
                break
        return _scores(losses, right, counts, source.bytes_in_piece)


def begin_with_frequencies(
    network: Network, corpora: Sequence[WeighedCorpus], note: Callable[[str], None]
) -> None:
    """A language model that knows nothing yet begins with how frequent each piece is.

    Else it learns it first, and by pushing away the embeddings of all rare pieces.
    """
    counts = sum(one.times * one.corpus.counts() for one in corpora)
    for head in network.heads.values():
        if isinstance(head, VocabularyHead) and head.begin_with(torch.as_tensor(counts)):
            note("the language model begins with the frequencies of the pieces")


def note_dense_mask(
    network: Network,
    device: torch.device,
    precision: str,
    note: Callable[[str], None],
) -> None:
    """Packed rows cost more than they save where a mask, not a kernel, keeps sequences apart."""
    encoder = network.encoder
    if device.type != "cuda" or not isinstance(encoder, Encoder):
        return
    dropout = encoder.attention_dropout
    if not packed_kernel_applies(device, PRECISIONS[precision], dropout=dropout):
        note(
            f"packed rows attend through a dense mask here ({precision}, attention dropout "
            f"{dropout}): set run.precision = 'bf16' and model.attention_dropout = 0.0, with torch "
            "2.10 or later, or batches.layout = 'sorted'"
        )


def rows_of_batches(
    lengths: np.ndarray, length: int, settings: BatchSettings, generator: np.random.Generator
) -> Iterator[list[np.ndarray]]:
    """The rows of every batch: one sequence each, sorted by length; or several packed into one."""
    if settings.layout == "sorted":
        for batch in epoch_batches(lengths, settings, generator):
            yield [batch[place : place + 1] for place in range(len(batch))]
        return
    order = generator.permutation(len(lengths))
    room = min(LENGTHS_IN_ROW * length, max(length, settings.tokens))
    rows_in_batch = max(1, settings.tokens // room)
    mean = max(1, int(lengths.mean()))
    pool = max(1, POOL_BATCHES * settings.tokens // mean)
    for start in range(0, len(order), pool):
        some = order[start : start + pool]
        rows = [some[row] for row in packed_rows(lengths[some], row_length=room)]
        shuffled = [rows[number] for number in generator.permutation(len(rows))]
        for place in range(0, len(shuffled), rows_in_batch):
            yield shuffled[place : place + rows_in_batch]


def stage_ends(stages: Sequence[StageSettings], *, steps: int) -> list[int]:
    """The optimizer step at which each stage ends; the last ends with the run."""
    total = sum(stage.share for stage in stages)
    ends = [round(steps * part / total) for part in accumulate(stage.share for stage in stages)]
    return [*ends[:-1], steps]


def check_corpora(corpora: Sequence[TokenCorpus], tokenizer: Tokenizer) -> None:
    """An error for an empty corpus, or one whose ids are not the tokenizer's."""
    wanted = tokenizer.fingerprint()
    for corpus in corpora:
        if not corpus.tokens:
            raise BadInputError(f"{corpus.folder}: there is nothing to learn from in this corpus")
        found = corpus.manifest.tokenizer
        if found != wanted:
            raise BadInputError(
                f"{corpus.folder}: its ids are those of another vocabulary "
                f"({corpus.manifest.vocabulary_size} pieces, {found[:12]}) than the model's "
                f"({tokenizer.vocabulary_size} pieces, {wanted[:12]}); build the corpus with "
                "the model's tokenizer, or set model.vocabulary to the corpus folder"
            )
        if corpus.manifest.tags != corpora[0].manifest.tags:
            raise BadInputError(f"{corpus.folder}: its tags differ from {corpora[0].folder}'s")


def _scores(
    losses: dict[str, float],
    right: dict[str, int],
    counts: dict[str, int],
    bytes_in_piece: float,
) -> Scores:
    def mean(values: dict[str, Any], name: str) -> float:
        return float(values[name]) / max(1, counts[name])

    loss, accuracy = mean(losses, WORDS), mean(right, WORDS)
    details = {"perplexity": math.exp(min(loss, 50.0)), "mlm_accuracy": accuracy}
    if bytes_in_piece:
        details["bits_per_byte"] = loss / math.log(2) / bytes_in_piece
    if PAIRS in counts:
        details |= {"pair_loss": mean(losses, PAIRS), "pair_accuracy": mean(right, PAIRS)}
    score = Score(accuracy, accuracy, accuracy, counts[WORDS])
    return Scores(main=-loss, micro=score, by_label={}, details=details)
