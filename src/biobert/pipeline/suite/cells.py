"""The cells of a benchmark suite: what one test of one model came to."""

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from biobert.evaluation.overlap import Shared
from biobert.pipeline.suite.description import Published, SuiteTest


@dataclass(frozen=True, slots=True)
class Cell:
    """One test of one model over all seeds and folds: main scores, intervals and minutes of each
    run, and what of the test set it had learnt from (None: not known).

    `checksum` is the SHA-256 of the test set's file, of several that of their checksums;
    `set_aside` counts the records that could not be read, `failure` says why there are no scores.
    `encoder` is what the model began from, a checkpoint or another model of the suite, `changes`
    what differs from its recipe. `trained_on` says how much there was of each source that it learnt
    from, and its checksum, `version` which biobert trained it; models of earlier versions may not
    tell.
    """

    test: str
    task: str
    measure: str
    corpus: str
    split: str
    checksum: str
    documents: int
    set_aside: int
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    shared: tuple[Shared | None, ...]
    minutes: tuple[float, ...]
    published: tuple[Published, ...] = ()
    incomparable: str = ""
    folds: tuple[str, ...] = ()
    failure: str = ""
    encoder: str = ""
    changes: tuple[str, ...] = ()
    trained_on: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    @property
    def mean(self) -> float:
        """Of the scores over all runs."""
        return statistics.mean(self.scores)

    @property
    def deviation(self) -> float | None:
        """The standard deviation over all runs; None for a single one."""
        return statistics.stdev(self.scores) if len(self.scores) > 1 else None

    def to_json(self) -> dict[str, Any]:
        """Plain values, with mean and deviation."""
        summary = {"mean": self.mean, "deviation": self.deviation} if self.scores else {}
        return {**asdict(self), **summary}


def failed_cell(test: SuiteTest, failure: str) -> Cell:
    """The cell of a test without scores, and why it has none."""
    return Cell(
        test=test.name,
        task="",
        measure="",
        corpus=test.corpus,
        split=test.split,
        checksum="",
        documents=0,
        set_aside=0,
        seeds=(),
        scores=(),
        intervals=(),
        shared=(),
        minutes=(),
        published=test.published,
        incomparable=test.incomparable,
        failure=failure,
    )
