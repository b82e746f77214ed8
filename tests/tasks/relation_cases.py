"""What the tests of relation extraction share: a task, entities, answers of a sure model."""

from collections.abc import Sequence

import numpy as np

from biobert.core.document import Document, Entity
from biobert.tasks.relations import HEAD, RelationExtraction
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()


def task(**settings: object) -> RelationExtraction:
    given = {"labels": ["INHIBITOR", "ACTIVATOR"], "negative": "none"}
    return RelationExtraction.from_settings({**given, "pairs": [["Chemical", "Gene"]], **settings})


def entity(text: str, mention: str, label: str, number: int = 1, **more: object) -> Entity:
    start = text.index(mention)
    return Entity(start, start + len(mention), label, id=f"T{number}", **more)  # type: ignore[arg-type]


def marked_text(document: Document, one: RelationExtraction) -> list[str]:
    return [one._texts(example).text for example in one.examples(document)]


def answered(one: RelationExtraction, document: Document, labels: Sequence[str]) -> Document:
    """What comes of a model that is certain of these labels, pair by pair."""
    examples = one.examples(document)
    names = one.heads()[0].groups[0].labels
    logits = 40 * np.eye(len(names), dtype=np.float32)
    windows = one.encode(examples, TOKENIZER)
    return one.decode(document, windows, [[{HEAD: logits[names.index(one)]}] for one in labels])
