"""Which rows an epoch has."""

from collections import Counter

import numpy as np

from biobert.core.document import Argument, Document, Entity, Relation
from biobert.tasks import build_task
from biobert.training.batches import encode_rows
from biobert.training.method_settings import RegularizationSettings
from biobert.training.recipe import BatchSettings
from biobert.training.sources import DocumentSource, Learner
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()


def relations_of_twenty_drugs(negatives: float) -> DocumentSource:
    drugs = tuple(Entity(2 * place, 2 * place + 1, "Drug", id=f"T{place}") for place in range(20))
    related = Relation("INTERACTS", (Argument("Arg1", "T0"), Argument("Arg2", "T1")))
    document = Document("1", "a " * 20, entities=drugs, relations=(related,))
    settings = {"labels": ["INTERACTS"], "negative": "none", "pairs": [["Drug", "Drug"]]}
    task = build_task("relations", {**settings, "negatives": negatives})
    return DocumentSource(
        Learner(task, TOKENIZER, None),  # type: ignore[arg-type]
        encode_rows(task, [document], TOKENIZER),
        batches=BatchSettings(tokens=256),
        regularization=RegularizationSettings(),
        seed=1,
    )


def test_words_of_a_text_without_any_can_be_hidden() -> None:
    documents = [Document("1", "\u200b", labels=("x",)), Document("2", "Aspirin.", labels=("x",))]
    task = build_task("classification", {"labels": ["x", "y"]})
    source = DocumentSource(
        Learner(task, TOKENIZER, None),  # type: ignore[arg-type]
        encode_rows(task, documents, TOKENIZER),
        batches=BatchSettings(),
        regularization=RegularizationSettings(masked_words=0.99),
        seed=1,
    )
    batch = source.batch(np.array([0, 1]), np.random.default_rng(1))
    cls, sep, pad, mask = (TOKENIZER.special(one) for one in ("cls", "sep", "pad", "mask"))
    assert batch.token_ids.tolist() == [[cls, sep, pad, pad], [cls, mask, mask, sep]]


def rows_of(source: DocumentSource, epoch: int) -> list[int]:
    return [int(row) for batch in source.plan(epoch, step=0).keys for row in batch]


def test_rows_of_a_share_take_turns() -> None:
    source = relations_of_twenty_drugs(negatives=0.25)
    epochs = [rows_of(source, epoch) for epoch in range(4)]
    # 190 pairs, of which the first is related.
    assert all(epoch.count(0) == 1 for epoch in epochs)
    seen = Counter(row for epoch in epochs for row in epoch)
    assert seen == {0: 4} | dict.fromkeys(range(1, 190), 1)
    assert all(30 < len(epoch) < 65 for epoch in epochs)
    assert rows_of(source, 4) != epochs[0] and sorted(rows_of(source, 4)) == sorted(epochs[0])
    assert source.count(2) == len(list(source.plan(2, step=0).keys))


def test_all_rows_are_in_every_epoch_as_a_rule() -> None:
    source = relations_of_twenty_drugs(negatives=1.0)
    assert sorted(rows_of(source, 3)) == list(range(190))
    batches = list(source.plan(3, step=0).keys)
    batch = source.batch(batches[0], np.random.default_rng(1))
    assert len(batch.token_ids) == len(batches[0])
