"""Two systems on one test set: how far apart they are, and whether by chance."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.task import Task
from biobert.data.places import CorpusPlaces
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from biobert.evaluation.significance import (
    Interval,
    PairedCounts,
    PairedDocuments,
    PairedUnits,
    approximate_randomisation,
    paired_bootstrap,
)
from biobert.evaluation.spans import annotated_alone, check_same_texts
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.evaluating import (
    TestSet,
    finds_entities,
    finds_mentions,
    read_gold,
    scored_labels,
    with_labels_alone,
)
from biobert.runtime.settings import RuntimeSettings

SEED = 20190901
SCORED = ("labels", "choice", "scope", "measure")
"""Settings of a task by which answers are scored."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Main scores of both, and of their difference (second minus first) the 95% bootstrap interval,
    the share of resamples in which the second is not better, and the two-sided p by randomisation.
    `labels` are those that were scored, `units` what was drawn and swapped; `set_aside` counts the
    records that could not be read.
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
    labels: tuple[str, ...] = ()
    set_aside: int = 0

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
    rejects: Rejects | None = None,
) -> Comparison:
    """Compare two models, or a model and a file of predictions, on the same test set.

    Paired bootstrap and approximate randomisation, over sentences where entities are scored and
    over documents elsewhere. Of entities, the types that both models know are scored; models of
    other tasks must know the same labels. Records that cannot be read, of either side, go to
    `rejects`.
    """
    rejects = Rejects() if rejects is None else rejects
    gold = read_gold(test_set, test_set.split, places, rejects)
    (task_of_first, first), (task_of_second, second) = (
        _answers(one, gold, settings, rejects) for one in systems
    )
    tasks = [one for one in (task_of_first, task_of_second) if one is not None]
    task = _common_task(systems, tasks)
    check_same_texts(gold, first)
    check_same_texts(gold, second)
    labels = _labels_of_all(tasks, gold, test_set.labels)
    if finds_mentions(task):
        (_, first), (gold, second) = (annotated_alone(gold, one) for one in (first, second))
    if test_set.labels is not None or finds_mentions(task):
        gold = with_labels_alone(gold, labels)
    units = _units(task, gold, first, second)
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
        labels=labels,
        set_aside=rejects.count,
    )


def _common_task(systems: tuple[str, str], tasks: Sequence[Task]) -> Task:
    """What the models, of which there must be one, have learnt both."""
    if not tasks:
        raise BadInputError(f"{' and '.join(systems)}: name one model at least, it says the task")
    first, last = tasks[0], tasks[-1]
    if first.name != last.name:
        raise BadInputError(f"a {first.name} and a {last.name} model do not compare")
    if not finds_entities(first):
        _check_same_measure(first, last)
    return first


def _check_same_measure(first: Task, last: Task) -> None:
    """An error where the first system's task would score the second by what it never learnt."""
    one, other = first.settings(), last.settings()
    found = [
        f"{name} ({_shown(one.get(name))} and {_shown(other.get(name))})"
        for name in SCORED
        if _shown(one.get(name)) != _shown(other.get(name))
    ]
    if found:
        raise BadInputError(
            f"the two models differ in {', '.join(found)}: one score of both would ask one of them "
            "for what it never learnt"
        )


def _shown(value: Any) -> str:
    """The setting in words; the order of labels says nothing."""
    return ", ".join(sorted(value)) if isinstance(value, list | tuple) else str(value)


def _labels_of_all(
    tasks: Sequence[Task], gold: Sequence[Document], wanted: Sequence[str] | None
) -> tuple[str, ...]:
    """The labels that are scored: of types of entities, those that each model knows."""
    labels, *others = (scored_labels(task, gold, wanted) for task in tasks)
    if not finds_mentions(tasks[0]):
        return labels
    common = tuple(one for one in labels if all(one in some for some in others))
    if not common:
        raise BadInputError(
            f"of what the corpus annotates, the first model finds {', '.join(labels)}, the second "
            f"{', '.join(others[0])}: none in common"
        )
    return common


def _units(
    task: Task,
    gold: Sequence[Document],
    first: Sequence[Document],
    second: Sequence[Document],
) -> PairedUnits:
    """What the task counts, each system's answers among its own; whole documents elsewhere."""
    counts = [task.among(one).counts(gold, one) for one in (first, second)]
    if counts[0] is None or counts[1] is None:
        return PairedDocuments(gold, first, second, task.score)
    return PairedCounts(counts[0], counts[1])


def _answers(
    system: str, gold: Sequence[Document], settings: RuntimeSettings, rejects: Rejects
) -> tuple[Task | None, list[Document]]:
    """A model's task and answers; of a file of predictions the answers alone."""
    if Path(system).is_file():
        return None, list(read_documents(system, None, rejects))
    annotator = Annotator(system, settings=settings)
    return annotator.model.task, list(annotator.annotate_many(gold))
