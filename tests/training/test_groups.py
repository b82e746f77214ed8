"""Batches for vectors."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biobert.core.document import Document
from biobert.core.task import ANCHOR, POSITIVE
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.tasks import build_task
from biobert.tasks.embedding import HEAD
from biobert.training.batches import encode_rows
from biobert.training.groups import MOST_WINDOWS, GroupSource, with_partners
from biobert.training.material import RunPlaces, read_material
from biobert.training.method_settings import RegularizationSettings
from biobert.training.recipe import BatchSettings, read_recipe
from biobert.training.sources import DocumentSource, Learner
from biobert.training.start import build_learner
from tests.cli.test_embed import pair
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
SMALL = {"maximum_tokens": 12, "overlap_tokens": 0}


def source_of(
    documents: list[Document], *, times: int = 1, tokens: int = 64, **settings: object
) -> GroupSource:
    task = build_task("embedding", {"windows": SMALL, **settings})
    rows = with_partners(encode_rows(task, documents, TOKENIZER) * times, HEAD)
    learner = Learner(task, TOKENIZER, None)  # type: ignore[arg-type]
    plain = DocumentSource(
        learner,
        rows,
        batches=BatchSettings(tokens=tokens),
        regularization=RegularizationSettings(),
        seed=1,
    )
    return GroupSource(plain, HEAD, batches=BatchSettings(tokens=tokens), seed=1)


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


@pytest.mark.parametrize(
    ("documents", "settings"),
    [
        ([pair(0), pair(1)], {"passages": ["question", "context"]}),
        ([Document("1", "Aspirin helps."), Document("2", "All is well.")], {"learn": "dropout"}),
        ([Document("1", "Aspirin helps.")], {"learn": "dropout"}),
    ],
)
def test_what_counts_twice_comes_twice(
    documents: list[Document], settings: dict[str, object]
) -> None:
    once = batches_of(source_of(documents, tokens=1, **settings))
    twice = batches_of(source_of(documents, times=2, tokens=1, **settings))
    assert len(once) == len(documents)
    assert sorted(twice) == sorted(once * 2)


def test_a_text_that_many_share_is_learnt_once_and_fills_no_batch(
    tables: dict[str, Any], tmp_path: Path
) -> None:
    shared = "The authors declare none."
    documents = [Document(str(n), f"Aspirin {n}. {shared}") for n in range(50)]
    write_documents(documents, tmp_path / "texts.jsonl")
    data = {"train": [{"corpus": str(tmp_path / "texts.jsonl"), "times": 2}]}
    task = {"name": "embedding", "learn": "dropout"}
    recipe = read_recipe({**tables, "task": task, "data": data}, place="toy.toml")
    learner = build_learner(recipe, lambda note: None)
    places = RunPlaces(tmp_path, CorpusPlaces(tmp_path))
    source = read_material(recipe, places, learner, lambda note: None).source
    found = Counter[int]()
    for key in source.plan(0, step=0).keys:
        batch = source.batch(key, np.random.default_rng(0))
        assert batch.token_ids.numel() <= recipe.batches.tokens
        found.update(batch.targets[HEAD][:, 0].tolist())
    # Each of 51 texts twice, with its other view.
    assert set(found.values()) == {4}
    assert len(found) == 51


def test_of_a_whole_article_an_epoch_draws_some_windows() -> None:
    short = pair(0)
    question, context = short.passages
    text = short.text + " the" * 400
    article = Document("1", text, (question, replace(context, end=len(text))))
    source = source_of([article], passages=["question", "context"])
    epochs = []
    for epoch in (0, 0, 1):
        (key,) = source.plan(epoch, step=0).keys
        roles = source.batch(key, np.random.default_rng(0)).targets[HEAD][:, 1].tolist()
        assert Counter(roles) == {ANCHOR: 1, POSITIVE: MOST_WINDOWS}
        epochs.append(key.tolist())
    assert epochs[0] == epochs[1] != epochs[2]


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
