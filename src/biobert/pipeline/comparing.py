"""Two systems on one test set: how far apart they are, and whether by chance."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.task import Task
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from biobert.evaluation.significance import (
    Interval,
    PairedCounts,
    PairedDocuments,
    PairedUnits,
    approximate_randomisation,
    paired_bootstrap,
    sentence_counts,
)
from biobert.evaluation.spans import check_same_texts
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.evaluating import (
    CorpusPlaces,
    TestSet,
    finds_entities,
    read_gold,
    scored_labels,
)
from biobert.runtime.settings import RuntimeSettings

SEED = 20190901


@dataclass(frozen=True, slots=True)
class Comparison:
    """Main scores of both, and of their difference (second minus first) the 95% bootstrap interval,
    the share of resamples in which the second is not better, and the two-sided p by randomisation.
    `units` are what was drawn and swapped.
    """

    first: str
    second: str
    task: str
    units: int
    first_score: float
    second_score: float
    interval: Interval
    not_better: float
    p: float

    @property
    def difference(self) -> float:
        """Second minus first."""
        return self.second_score - self.first_score

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "difference": self.difference}


def compare(
    systems: tuple[str, str],
    test_set: TestSet,
    places: CorpusPlaces,
    *,
    samples: int = 1000,
    settings: RuntimeSettings = RuntimeSettings(),
) -> Comparison:
    """Compare two models, or a model and a file of predictions, on the same test set.

    Paired bootstrap and approximate randomisation, over sentences where entities are scored and
    over documents elsewhere.
    """
    gold = read_gold(test_set, test_set.split, places)
    (task_of_first, first), (task_of_second, second) = (
        _answers(one, gold, settings) for one in systems
    )
    task = task_of_first or task_of_second
    if task is None:
        raise BadInputError(f"{' and '.join(systems)}: name one model at least, it says the task")
    if task_of_second is not None and task_of_second.name != task.name:
        raise BadInputError(f"a {task.name} and a {task_of_second.name} model do not compare")
    check_same_texts(gold, first)
    check_same_texts(gold, second)
    units = _units(task, gold, first, second, scored_labels(task, gold, test_set.labels))
    bootstrap = paired_bootstrap(units, np.random.default_rng(SEED), samples=samples)
    p = approximate_randomisation(units, np.random.default_rng(SEED), samples=samples)
    everything = np.arange(len(units))
    nobody = np.zeros(len(units), dtype=np.bool_)
    return Comparison(
        first=systems[0],
        second=systems[1],
        task=task.name,
        units=len(units),
        first_score=units.score(everything, nobody),
        second_score=units.score(everything, ~nobody),
        interval=bootstrap.interval,
        not_better=bootstrap.not_better,
        p=p,
    )


def _units(
    task: Task,
    gold: Sequence[Document],
    first: Sequence[Document],
    second: Sequence[Document],
    labels: Sequence[str],
) -> PairedUnits:
    """Sentences where entities are scored, documents elsewhere."""
    if not finds_entities(task):
        return PairedDocuments(gold, first, second, task.score)
    counts = (sentence_counts(gold, one, labels) for one in (first, second))
    return PairedCounts(*counts)


def _answers(
    system: str, gold: Sequence[Document], settings: RuntimeSettings
) -> tuple[Task | None, list[Document]]:
    """A model's task and answers; of a file of predictions the answers alone."""
    if Path(system).is_file():
        return None, list(read_documents(system, None, Rejects()))
    annotator = Annotator(system, settings=settings)
    return annotator.model.task, list(annotator.annotate_many(gold))
