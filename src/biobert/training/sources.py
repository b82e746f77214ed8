"""Where the loop's batches come from, and what scores the network meanwhile."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import torch

from biobert.core.annotate import annotate_documents
from biobert.core.document import Document
from biobert.core.errors import BiobertError
from biobert.core.task import HeadSpec, Scores, Task
from biobert.model.network import Network
from biobert.model.predictor import predictor_of
from biobert.text.tokenizer import Tokenizer
from biobert.training.batches import Batch, Row, collate, epoch_batches, mask_words
from biobert.training.method_settings import RegularizationSettings
from biobert.training.recipe import BatchSettings

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Learner:
    """What learns: the task, its tokenizer and the network with the task's heads."""

    task: Task
    tokenizer: Tokenizer
    network: Network


@dataclass(frozen=True, slots=True)
class EpochPlan:
    """The batches of an epoch as keys, made lazily; the epoch ends early at step `until`."""

    keys: Iterable[Any]
    until: int | None = None


class BatchSource(Protocol):
    """Gives the same keys and batches for the same arguments, on every process."""

    def plan(self, epoch: int, *, step: int) -> EpochPlan:
        """The keys of all batches of the epoch that begins at optimizer step `step`."""
        ...

    def count(self, epoch: int) -> int | None:
        """How many batches an epoch has, or None where only `run.steps` ends a run."""
        ...

    def batch(self, key: Any, generator: np.random.Generator) -> Batch:
        """The batch of a key; what is drawn by chance is drawn from the generator."""
        ...

    def place(self, key: Any) -> str:
        """Which rows these are, for an error."""
        ...


class Examiner(Protocol):
    """Scores a network on data that it does not learn from."""

    def evaluate(self, network: Network, device: torch.device) -> dict[str, Scores]:
        """Scores by the name of each devel set; their mean `main` chooses the checkpoint."""
        ...

    def tuned(self, network: Network, device: torch.device) -> Task:
        """The task with what is chosen on devel for the finished network."""
        ...


class DocumentSource:
    """Windows of annotated documents, in batches of similar length."""

    def __init__(
        self,
        learner: Learner,
        rows: Sequence[Row],
        *,
        batches: BatchSettings,
        regularization: RegularizationSettings,
        seed: int,
    ) -> None:
        if not rows:
            raise BiobertError("there is nothing to train on: the corpora gave no rows")
        self.rows = rows
        self.heads: Sequence[HeadSpec] = learner.task.heads()
        self._tokenizer = learner.tokenizer
        self._batches = batches
        self._masked_words = regularization.masked_words
        self._seed = seed
        self._lengths = np.array([len(row.window) for row in rows])
        self._shares = np.array([row.share for row in rows])
        self._phases = np.random.default_rng(seed).random(len(rows))

    def plan(self, epoch: int, *, step: int) -> EpochPlan:
        """The epoch's rows, shuffled; an epoch looks the same whenever it begins."""
        del step
        generator = np.random.default_rng((self._seed, epoch))
        rows = self._rows_of(epoch)
        batches = epoch_batches(self._lengths[rows], self._batches, generator)
        return EpochPlan([rows[batch] for batch in batches])

    def count(self, epoch: int) -> int:
        """How many batches the epoch has."""
        return len(list(self.plan(epoch, step=0).keys))

    def batch(self, key: np.ndarray, generator: np.random.Generator) -> Batch:
        """Padded rows, with whole words hidden where the recipe says so."""
        rows = [self.rows[int(number)] for number in key]
        batch = collate(rows, self.heads, pad_id=self._tokenizer.special("pad"))
        if not self._masked_words:
            return batch
        mask_id = self._tokenizer.special("mask")
        return mask_words(
            batch, rows, rate=self._masked_words, mask_id=mask_id, generator=generator
        )

    def _rows_of(self, epoch: int) -> np.ndarray:
        """Row numbers: a row of share 1 is in every epoch, others take turns."""
        turn = np.mod(self._phases + epoch * self._shares, 1.0)
        rows = np.flatnonzero(turn < self._shares)
        return rows if len(rows) else np.arange(len(self.rows))

    def place(self, key: np.ndarray) -> str:
        """The numbers of the first rows, and the length of the longest."""
        longest = max(self._lengths[int(number)] for number in key)
        return f"rows {[int(number) for number in key][:8]}, longest {longest} tokens"


@dataclass(frozen=True, slots=True)
class DevelSet:
    """Documents of one corpus that choose the checkpoint."""

    name: str
    documents: Sequence[Document]


class DocumentExaminer:
    """Scores by the task's own measure, on annotated documents."""

    def __init__(self, task: Task, tokenizer: Tokenizer, devel: Sequence[DevelSet]) -> None:
        self.task = task
        self.tokenizer = tokenizer
        self.devel = devel

    def evaluate(self, network: Network, device: torch.device) -> dict[str, Scores]:
        """Scores of each devel set."""
        return {
            part.name: self.task.score(
                part.documents, self._predicted(self.task, part, network, device)
            )
            for part in self.devel
        }

    def tuned(self, network: Network, device: torch.device) -> Task:
        """The task as it chooses its own settings on all devel sets together."""
        gold = [document for part in self.devel for document in part.documents]
        weighing = self.task.weighing()
        predicted = (
            document
            for part in self.devel
            for document in self._predicted(weighing, part, network, device)
        )
        return self.task.tuned(gold, predicted)

    def _predicted(
        self, task: Task, part: DevelSet, network: Network, device: torch.device
    ) -> list[Document]:
        predictor = predictor_of(network, self.tokenizer, device)
        return annotate_documents(
            part.documents, task=task, tokenizer=self.tokenizer, predictor=predictor
        )


def own_share(keys: Iterable[K], *, process: int, processes: int) -> Iterator[K]:
    """Every `processes`-th key; those of a last, incomplete turn come twice, none is left out."""
    turn: list[K] = []
    for key in keys:
        turn.append(key)
        if len(turn) == processes:
            yield turn[process]
            turn.clear()
    if turn:
        yield turn[process % len(turn)]
