"""One model for many requests: their windows run together, in batches of bounded size.

Windows are what is batched, not requests. Each request works through a predictor of its own that
looks like any other, so every answer is made by the same code as offline.
"""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import numpy as np

from biobert.core.errors import BiobertError
from biobert.core.task import Outputs, Predictor, Window
from biobert.serving.admission import Load
from biobert.serving.settings import BatchingSettings

T = TypeVar("T")


class JobStoppedError(BiobertError):
    """Nobody waits for the work any more, or its time is over."""

    def __init__(self) -> None:
        super().__init__("the request's time is over", code="timeout")


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """One batch: its size, and how long the model took."""

    requests: int
    windows: int
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class BatchShare:
    """What a batch did for one request, in times of `time.monotonic`.

    `waited_from` is when the first of the windows that were asked for together began to wait; None
    where some of them have been computed before.
    """

    batch: BatchFigures
    windows: int
    waited_from: float | None
    began: float
    ended: float


@dataclass(slots=True)
class TokensRead:
    """How many word pieces a model read in each row, and how many were unknown to it."""

    lengths: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """How many in all rows."""
        return sum(self.lengths)

    def unknown_rates(self, texts: int) -> list[float]:
        """The share of unknown ones in each of so many texts, whose rows came in their order.

        Each is taken to have as many rows: how many it has is not known here, and one mean for all
        of a request would look like so many texts that are alike.
        """
        rows = len(self.lengths)
        if not rows:
            return [0.0] * texts
        borders = [number * rows // texts for number in range(texts + 1)]
        parts = [slice(start, max(end, start + 1)) for start, end in pairwise(borders)]
        return [sum(self.unknown[part]) / sum(self.lengths[part]) for part in parts]


class Job:
    """The work of one request: until when it may take, and what each model read, by its name.

    `watch` is told of each batch that computed for it, `hold` of what it brings once that is known.
    """

    def __init__(
        self,
        seconds: float,
        watch: Callable[[BatchShare], None] | None = None,
        hold: Callable[[Load], None] = lambda load: None,
    ) -> None:
        """`hold` raises where there is no room for so much."""
        self.watch = watch
        self.hold = hold
        self.began = time.monotonic()
        self._end = self.began + seconds
        self._stopped = threading.Event()
        self.read: defaultdict[str, TokensRead] = defaultdict(TokensRead)

    @property
    def seconds_left(self) -> float:
        """How long it may still take; 0 for a stopped one."""
        return 0.0 if self._stopped.is_set() else max(0.0, self._end - time.monotonic())

    def stop(self) -> None:
        """Say that nobody waits for it."""
        self._stopped.set()

    def check(self) -> None:
        """An error where going on is of no use."""
        if not self.seconds_left:
            raise JobStoppedError

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """The items; an error in place of the next one where going on is of no use."""
        for one in items:
            self.check()
            yield one


@dataclass(eq=False, slots=True)
class _Call:
    """Windows of a job that wait for their outputs."""

    predictor: Predictor
    windows: Sequence[Window]
    job: Job
    outputs: dict[int, Outputs] = field(default_factory=dict)
    taken: int = 0
    tokens_left: int = 0
    arrived: float = field(default_factory=time.monotonic)
    problem: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.tokens_left = sum(len(window) for window in self.windows)

    def take(self, tokens: int) -> tuple[int, int]:
        """The next windows [start, end), one at least, of about that many tokens."""
        start, room = self.taken, tokens
        while self.taken < len(self.windows) and (self.taken == start or room > 0):
            length = len(self.windows[self.taken])
            room -= length
            self.tokens_left -= length
            self.taken += 1
        return start, self.taken

    def fail(self, problem: BaseException) -> None:
        self.problem = problem
        self.done.set()


@dataclass(frozen=True, slots=True)
class _Part:
    call: _Call
    start: int
    end: int

    @property
    def windows(self) -> Sequence[Window]:
        return self.call.windows[self.start : self.end]


class Batcher:
    """Runs the models of a process, one batch after another."""

    def __init__(
        self, settings: BatchingSettings, watch: Callable[[BatchFigures], None] | None = None
    ) -> None:
        self._tokens = settings.tokens
        self._wait_seconds = settings.wait_milliseconds / 1000.0
        self._watch = watch
        self._calls: deque[_Call] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._inference = ThreadPoolExecutor(1, thread_name_prefix="biobert-inference")
        self._thread = threading.Thread(target=self._work, name="biobert-batching", daemon=True)
        self._thread.start()

    def predict(self, predictor: Predictor, windows: Sequence[Window], job: Job) -> list[Outputs]:
        """What `predictor.predict(windows)` gives, run together with the windows of others.

        Raises JobStoppedError when the job's time is over first, and what the predictor raises.
        """
        if not windows:
            return []
        job.check()
        call = _Call(predictor, windows, job)
        with self._changed:
            if self._is_closed:
                raise JobStoppedError
            self._calls.append(call)
            self._changed.notify_all()
        if not call.done.wait(min(job.seconds_left, threading.TIMEOUT_MAX)):
            self.forget(job)
            raise JobStoppedError
        if call.problem is not None:
            raise call.problem
        return [call.outputs[number] for number in range(len(windows))]

    def forget(self, job: Job) -> None:
        """Take what a job still waits for out of the queue."""
        with self._changed:
            own = [call for call in self._calls if call.job is job]
            self._calls = deque(call for call in self._calls if call.job is not job)
            self._changed.notify_all()
        for call in own:
            call.fail(JobStoppedError())

    def close(self) -> None:
        """Finish what waits, take nothing new."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()
        self._inference.shutdown()

    def _work(self) -> None:
        while (parts := self._next_batch()) is not None:
            if not parts:
                continue
            # Whatever goes wrong belongs to those who wait; this thread must go on.
            problem = self._inference.submit(self._run, parts).exception()
            if problem is not None:
                self._fail(parts, problem)

    def _next_batch(self) -> list[_Part] | None:
        """Parts of calls of one model; none when the calls were forgotten, None at the end."""
        with self._changed:
            while not self._calls:
                if self._is_closed:
                    return None
                self._changed.wait()
            first = self._calls[0]
            until = first.arrived + self._wait_seconds
            while not self._is_closed and self._waiting_tokens(first.predictor) < self._tokens:
                seconds = until - time.monotonic()
                if seconds <= 0 or not self._changed.wait(seconds):
                    break
            return self._gathered(first.predictor)

    def _waiting_tokens(self, predictor: Predictor) -> int:
        return sum(call.tokens_left for call in self._calls if call.predictor is predictor)

    def _gathered(self, predictor: Predictor) -> list[_Part]:
        """Half a batch of the oldest job, then the others, the nearest to their end first.

        So small calls pass large ones, and large ones end one after the other: if all had the same
        share, all would miss their time together.
        """
        # By the job's age: one that reads its text in several calls does not queue up anew.
        own = sorted(
            (call for call in self._calls if call.predictor is predictor),
            key=lambda one: one.job.began,
        )
        others = [call for call in self._calls if call.predictor is not predictor]
        parts: list[_Part] = []
        room = self._tokens
        for call in (*own[:1], *sorted(own[1:], key=lambda one: one.tokens_left), *own[:1]):
            if room <= 0 or not call.tokens_left:
                continue
            before = call.tokens_left
            parts.append(_Part(call, *call.take(room if parts else self._tokens // 2)))
            room -= before - call.tokens_left
        # Other models come first now: no model keeps another waiting for more than a batch.
        self._calls = deque([*others, *(call for call in own if call.tokens_left)])
        return parts

    def _run(self, parts: list[_Part]) -> None:
        windows = [window for part in parts for window in part.windows]
        began = time.monotonic()
        outputs = iter(parts[0].call.predictor.predict(windows))
        # Told before it is done, so that a request ends after all that belongs to it.
        self._tell(parts, began)
        for part in parts:
            for number in range(part.start, part.end):
                part.call.outputs[number] = next(outputs)
            if len(part.call.outputs) == len(part.call.windows):
                part.call.done.set()

    def _tell(self, parts: list[_Part], began: float) -> None:
        windows = [window for part in parts for window in part.windows]
        requests = len({id(part.call.job) for part in parts})
        ended = time.monotonic()
        tokens = sum(len(window) for window in windows)
        figures = BatchFigures(requests, len(windows), tokens, ended - began)
        if self._watch is not None:
            self._watch(figures)
        for part in parts:
            if part.call.job.watch is not None:
                waited_from = None if part.start else part.call.arrived
                share = BatchShare(figures, len(part.windows), waited_from, began, ended)
                part.call.job.watch(share)

    def _fail(self, parts: list[_Part], problem: BaseException) -> None:
        failed = {id(part.call): part.call for part in parts}
        with self._changed:
            self._calls = deque(call for call in self._calls if id(call) not in failed)
        for call in failed.values():
            call.fail(problem)


class JobPredictor:
    """A predictor for one job: its windows run with those of others, and are counted in `read`."""

    def __init__(
        self,
        batcher: Batcher,
        predictor: Predictor,
        job: Job,
        read: TokensRead,
        *,
        unknown_id: int | None = None,
    ) -> None:
        self._batcher = batcher
        self._predictor = predictor
        self._job = job
        self._read = read
        self._unknown_id = unknown_id

    def predict(self, windows: Sequence[Window]) -> list[Outputs]:
        """The same outputs as the predictor behind it gives."""
        for window in windows:
            self._read.lengths.append(len(window))
            is_unknown = window.token_ids == self._unknown_id
            self._read.unknown.append(int(np.sum(is_unknown)))
        return self._batcher.predict(self._predictor, windows, self._job)
