"""What benchmarks share of corpora: where they lie, their splits, and scores on them."""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from machine import CACHE

from biobert.core.annotate import part_of
from biobert.core.document import Document
from biobert.data.catalogue import read_split
from biobert.data.places import CorpusPlaces

if TYPE_CHECKING:
    from biobert.core.task import Scores
    from biobert.pipeline.load import LoadedModel

DATA = Path(os.environ.get("BIOBERT_DATA", "data"))
"""The folder of real corpora; what is not in it is fetched."""
PLACES = CorpusPlaces(CACHE, DATA)


def split_of(corpus: str, split: str) -> list[Document]:
    """The documents of a split."""
    return read_split(corpus, split, PLACES)


def sentences_in(document: Document) -> list[Document]:
    """A document for each sentence, with what is annotated in it."""
    return [part_of(document, one.start, one.end) for one in document.sentences]


def scores_of(model: "LoadedModel", gold: Sequence[Document]) -> "Scores":
    """The model's answers to the texts of gold documents, scored by its task."""
    return model.task.score(gold, model.annotated(gold))


def mean_and_deviation(values: Sequence[float]) -> str:
    """Shares as percentages, with the number of runs: `76.47 ± 2.70 (3)`."""
    spread = f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.2f}{spread} ({len(values)})"
