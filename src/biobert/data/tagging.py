"""Tags of tokens: what an annotator says of the words of a corpus, beside their ids."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biobert.core.document import Document, Span
from biobert.core.errors import BadInputError
from biobert.core.shelf import unknown_name
from biobert.core.task import Pieces

Tagger = Callable[[Sequence[Document]], list[Document]]
UNTAGGED = 0
MOST_TAGS = 255


@dataclass(frozen=True, slots=True)
class Tagging:
    """Which annotator gives the tags. `make` is called once in each worker, so it must pickle.

    `name` tells the annotator in the manifest; `labels` are all that it can give.
    """

    name: str
    labels: tuple[str, ...]
    make: Callable[[], Tagger]

    def __post_init__(self) -> None:
        if not 1 <= len(self.labels) <= MOST_TAGS:
            raise BadInputError(
                f"tagger {self.name!r} has {len(self.labels)} labels; a tag is one byte: "
                f"give a model of 1 to {MOST_TAGS} labels"
            )

    @property
    def tags(self) -> tuple[str, ...]:
        """The names of the tag values; 0 is a token without a label."""
        return ("", *self.labels)


def token_tags(
    document: Document, sentences: Sequence[Span], pieces: Sequence[Pieces], labels: Sequence[str]
) -> npt.NDArray[np.uint8]:
    """(tokens,) the tag of the entity in which each token of the sentences begins."""
    numbers = {label: number for number, label in enumerate(labels, start=UNTAGGED + 1)}
    by_character = np.zeros(len(document.text) + 1, dtype=np.uint8)
    for entity in document.entities:
        if entity.label not in numbers:
            raise unknown_name("tag of the tagger", entity.label, labels)
        by_character[entity.start : entity.end] = numbers[entity.label]
    rows = [
        by_character[sentence.start + one.offsets[:, 0]]
        for sentence, one in zip(sentences, pieces, strict=True)
    ]
    return np.concatenate(rows) if rows else np.zeros(0, dtype=np.uint8)
