"""Batches for vectors."""

from collections import Counter

import numpy as np

from biobert.core.document import Document
from biobert.core.task import ANCHOR, POSITIVE
from biobert.tasks import build_task
from biobert.tasks.embedding import HEAD
from biobert.training.batches import encode_rows
from biobert.training.groups import GroupSource, with_partners
from biobert.training.method_settings import RegularizationSettings
from biobert.training.recipe import BatchSettings
from biobert.training.sources import DocumentSource, Learner
from tests.cli.test_embed import pair
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
SMALL = {"maximum_tokens": 12, "overlap_tokens": 0}


def source_of(documents: list[Document], **settings: object) -> GroupSource:
    task = build_task("embedding", {"windows": SMALL, **settings})
    rows = with_partners(encode_rows(task, documents, TOKENIZER), HEAD)
    learner = Learner(task, TOKENIZER, None)  # type: ignore[arg-type]
    plain = DocumentSource(
        learner,
        rows,
        batches=BatchSettings(tokens=64),
        regularization=RegularizationSettings(),
        seed=1,
    )
    return GroupSource(plain, HEAD, batches=BatchSettings(tokens=64), seed=1)


def batches_of(source: GroupSource) -> list[list[tuple[int, int]]]:
    generator = np.random.default_rng(0)
    return [
        [tuple(place) for place in source.batch(key, generator).targets[HEAD].tolist()]
        for key in source.plan(0, step=0).keys
    ]


def test_a_pair_is_never_parted() -> None:
    documents = [pair(number) for number in range(20)]
    batches = batches_of(source_of(documents, passages=["question", "context"]))
    assert len(batches) > 3
    # Of 20 documents 8 and 3 lengths: 20 different texts, each with one anchor.
    homes: dict[int, set[int]] = {}
    for number, batch in enumerate(batches):
        for group, _ in batch:
            homes.setdefault(group, set()).add(number)
    assert all(len(places) == 1 for places in homes.values())
    roles = Counter(role for batch in batches for _, role in batch)
    assert roles[ANCHOR] == 20
    assert roles[POSITIVE] >= 20


def test_every_window_of_a_long_text_is_a_positive() -> None:
    long = pair(0)
    longer = Document("long", long.text + " the" * 40, long.passages)
    last = longer.passages[1]
    grown = (longer.passages[0], type(last)(last.start, len(longer.text), last.kind))
    longer = Document("long", longer.text, grown)
    (batch,) = batches_of(source_of([longer], passages=["question", "context"]))
    assert Counter(role for _, role in batch) == {ANCHOR: 1, POSITIVE: 5}


def test_without_pairs_every_sentence_comes_twice() -> None:
    documents = [Document("1", "Aspirin helps. Lithium does not."), Document("2", "All is well.")]
    batches = batches_of(source_of(documents, learn="dropout"))
    places = [place for batch in batches for place in batch]
    groups = {group for group, _ in places}
    assert len(groups) >= 3
    for group in groups:
        assert sorted(role for one, role in places if one == group) == [ANCHOR, POSITIVE]


def test_the_two_views_of_a_text_differ_by_dropout() -> None:
    import torch

    from biobert.model.encoder import Encoder
    from biobert.model.network import Network
    from biobert.model.settings import EncoderSettings
    from biobert.training.batches import network_logits

    task = build_task("embedding", {"learn": "dropout"})
    settings = EncoderSettings(TOKENIZER.vocabulary_size, 32, 1, 2, 32)
    network = Network(Encoder(settings), task.heads()).train()
    source = source_of([Document("1", "Aspirin helps.")], learn="dropout")
    (key,) = source.plan(0, step=0).keys
    batch = source.batch(key, np.random.default_rng(0))
    torch.manual_seed(1)
    first, second = network_logits(network, batch)[HEAD]
    assert torch.equal(batch.token_ids[0], batch.token_ids[1])
    assert not torch.allclose(first, second)
