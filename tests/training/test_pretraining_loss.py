"""The pretraining loss: that of transformers, the same packed or padded, and where it begins."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertForPreTraining

from biobert.core.task import IGNORED
from biobert.data.shards import open_corpus
from biobert.model.heads import head_loss
from biobert.model.hub import load_encoder
from biobert.model.names import PRETRAINING_NAMES, hugging_face_name
from biobert.model.network import Network
from biobert.model.weights import fill_heads
from biobert.tasks.pretraining import PAIRS, WORDS, Pretraining
from biobert.training.batches import Batch, network_logits
from biobert.training.pretraining import (
    CorpusExaminer,
    CorpusSource,
    WeighedCorpus,
    begin_with_frequencies,
    rows_of_batches,
)
from biobert.training.recipe import BatchSettings, StageSettings
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()


def source(corpus: Path, *, layout: str = "sorted", tokens: int = 512) -> CorpusSource:
    return CorpusSource(
        Pretraining.from_settings({}),
        TOKENIZER,
        [WeighedCorpus(open_corpus(corpus))],
        batches=BatchSettings(tokens=tokens, layout=layout),  # type: ignore[arg-type]
        stages=(StageSettings(length=64),),
        steps=10,
        seed=1,
    )


def loaded(checkpoint: Path) -> Network:
    task = Pretraining.from_settings({})
    network = Network(load_encoder(checkpoint), task.heads(), dropout=0.0)
    assert fill_heads(network, checkpoint) == []
    return network


def loss_of(network: Network, batch: Batch) -> torch.Tensor:
    logits = network_logits(network, batch)
    parts = [head_loss(head, logits[head.name], batch.targets[head.name]) for head in network.specs]
    return torch.stack(parts).sum()


def first_batch(corpus: Path) -> Batch:
    made = source(corpus)
    key = next(iter(made.plan(0, step=0).keys))
    return made.batch(key, np.random.default_rng(1))


def test_loss_and_gradients_are_those_of_transformers(checkpoint: Path, corpus: Path) -> None:
    batch = first_batch(corpus)
    network = loaded(checkpoint)
    loss = loss_of(network, batch)
    loss.backward()
    theirs = BertForPreTraining.from_pretrained(checkpoint)
    assert batch.selected is not None
    labels = torch.full(batch.token_ids.shape, IGNORED)
    labels.view(-1)[batch.selected[WORDS]] = batch.targets[WORDS][:, 0]
    pairs = torch.full((len(batch.token_ids),), IGNORED)
    pairs[batch.selected[PAIRS] // batch.token_ids.shape[1]] = batch.targets[PAIRS][:, 0]
    mask = torch.ones_like(batch.token_ids) if batch.mask is None else batch.mask.long()
    expected = theirs(
        batch.token_ids,
        attention_mask=mask,
        token_type_ids=batch.segment_ids,
        labels=labels,
        next_sentence_label=pairs,
    ).loss
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    found = gradients(network)
    wanted = {name: one.grad for name, one in theirs.named_parameters()}
    assert found.keys() == wanted.keys()
    for name in ("bert.pooler.dense.weight", "cls.seq_relationship.weight"):
        assert found[name].any()
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-4)


def gradients(network: Network) -> dict[str, torch.Tensor]:
    """The gradient of every parameter, by the name that transformers gives it."""
    kinds = {spec.name: spec.kind for spec in network.specs}
    found = {}
    for name, parameter in network.named_parameters():
        part, _, own = name.partition(".")
        if part == "encoder":
            theirs = f"bert.{hugging_face_name(own)}"
        else:
            head, _, own = own.partition(".")
            theirs = PRETRAINING_NAMES[kinds[head], own]
        assert parameter.grad is not None, name
        found[theirs] = parameter.grad
    return found


def test_a_fresh_language_model_begins_with_frequencies(checkpoint: Path, corpus: Path) -> None:
    network = Network(load_encoder(checkpoint), Pretraining.from_settings({}).heads(), dropout=0.0)
    batch, said = first_batch(corpus), list[str]()
    before = loss_of(network, batch).item()
    opened = open_corpus(corpus)
    for _ in range(2):
        begin_with_frequencies(network, [WeighedCorpus(opened, 3)], said.append)
    assert len(said) == 1  # what has begun is left alone
    bias = network.heads[WORDS].bias.detach()
    assert bias.exp().sum().item() == pytest.approx(1.0, abs=1e-4)
    assert opened.counts().argmax() == bias.argmax().item()
    assert loss_of(network, batch).item() < before


def test_bits_per_byte_of_one_who_guesses(checkpoint: Path, corpus: Path) -> None:
    network = loaded(checkpoint)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    opened = open_corpus(corpus, "heldout")
    examiner = CorpusExaminer(
        Pretraining.from_settings({}),
        TOKENIZER,
        {"toy": opened},
        batches=BatchSettings(tokens=512),
        length=64,
        tokens=2000,
    )
    details = examiner.evaluate(network, torch.device("cpu"))["toy"].details
    pieces, (shard,) = TOKENIZER.vocabulary_size, opened.shards
    assert details["perplexity"] == pytest.approx(pieces, rel=1e-4)
    # Every piece costs the bits that tell it from all others.
    bits = math.log2(pieces) * shard.tokens
    assert details["bits_per_byte"] == pytest.approx(bits / shard.text_bytes, rel=1e-4)


@pytest.mark.parametrize("pulls", [True, False])
def test_embeddings_may_learn_as_input_alone(checkpoint: Path, corpus: Path, pulls: bool) -> None:
    network, batch = loaded(checkpoint), first_batch(corpus)
    network.heads[WORDS].pulls_embeddings = pulls  # type: ignore[assignment]
    loss_of(network, batch).backward()
    gradient = network.encoder.embeddings.word.weight.grad  # type: ignore[union-attr]
    absent = torch.ones(len(gradient), dtype=torch.bool)
    absent[batch.token_ids.unique()] = False
    absent[TOKENIZER.special("pad")] = False
    assert absent.any()
    assert bool(gradient[absent].any()) == pulls
    assert gradient[~absent].any()


def test_packed_rows_give_the_loss_of_padded_ones(checkpoint: Path, corpus: Path) -> None:
    made = source(corpus, layout="packed", tokens=2048)
    packed = made.batch(next(iter(made.plan(0, step=0).keys)), np.random.default_rng(1))
    padded = _unpacked(packed)
    assert len(padded.token_ids) > 3 * len(packed.token_ids)
    assert packed.targets[WORDS].numel() > 100 and packed.targets[PAIRS].numel() > 10
    network = loaded(checkpoint).eval()
    with torch.no_grad():
        one, other = (network_logits(network, batch) for batch in (packed, padded))
    for head in network.specs:
        torch.testing.assert_close(one[head.name], other[head.name], atol=1e-5, rtol=1e-4)
        losses = [
            head_loss(head, logits[head.name], batch.targets[head.name]).item()
            for logits, batch in ((one, packed), (other, padded))
        ]
        assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_the_packed_layout_loses_nothing(corpus: Path) -> None:
    counts = {
        layout: sum(
            source(corpus, layout=layout).batch(key, np.random.default_rng(1)).tokens
            for key in source(corpus, layout=layout).plan(0, step=0).keys
        )
        for layout in ("sorted", "packed")
    }
    assert counts["sorted"] == counts["packed"] > 0


def test_packed_rows_leave_little_air() -> None:
    generator = np.random.default_rng(1)
    lengths = generator.integers(60, 129, size=20_000)  # whole sentences in rows of 128
    settings = BatchSettings(tokens=32768, layout="packed")
    rows = [row for batch in rows_of_batches(lengths, 128, settings, generator) for row in batch]
    widths = [int(lengths[row].sum()) for row in rows]
    assert sorted(np.concatenate(rows)) == list(range(len(lengths)))
    assert sum(widths) > 0.95 * len(rows) * max(widths)


def _unpacked(batch: Batch) -> Batch:
    """The sequences of packed rows, each in a padded row of its own, in the same order."""
    assert batch.mask is not None and batch.selected is not None
    rows = [
        (row, torch.nonzero(numbers == number)[:, 0])
        for row, numbers in enumerate(batch.mask)
        for number in range(1, int(numbers.max()) + 1)
    ]
    length, width = max(len(places) for _, places in rows), batch.token_ids.shape[1]
    ids = torch.full((len(rows), length), TOKENIZER.special("pad"))
    segments, mask = torch.zeros_like(ids), torch.zeros_like(ids, dtype=torch.bool)
    moved = torch.full((batch.token_ids.numel(),), -1)
    for number, (row, places) in enumerate(rows):
        ids[number, : len(places)] = batch.token_ids[row, places]
        segments[number, : len(places)] = batch.segment_ids[row, places]
        mask[number, : len(places)] = True
        moved[row * width + places] = number * length + torch.arange(len(places))
    selected = {name: moved[places] for name, places in batch.selected.items()}
    assert all((places >= 0).all() for places in selected.values())
    return Batch(ids, segments, mask, batch.targets, batch.tokens, selected=selected)
