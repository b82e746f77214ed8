"""The parts of a service together, and how work goes through them."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request

from biobert.core.document import Document
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.task import Predictor, Task
from biobert.pipeline.relating import relation_tasks
from biobert.serving.admission import Intake, Load, Queue, client_gone
from biobert.serving.audit import AuditLog
from biobert.serving.batching import Batcher, Job, JobPredictor, JobStoppedError, TokensRead
from biobert.serving.drift import FEATURES, Drift, figures_of
from biobert.serving.logs import log
from biobert.serving.metrics import DONE, REFUSED, Metrics
from biobert.serving.models import Announcements, Identity, Models, Reloaded, Served
from biobert.serving.refusals import Refusal, invalid, too_large
from biobert.serving.schema import PersonsRequest
from biobert.serving.security import Doorkeeper
from biobert.serving.settings import ServiceSettings, TracingSettings
from biobert.trust.deidentification import Deidentifier
from biobert.trust.tagger import tagger_or_rules

if TYPE_CHECKING:
    # Its packages are an extra of their own.
    from biobert.serving.tracing import Trace, Tracing

R = TypeVar("R")
NEWS_SECONDS = 1.0
TOGETHER = "together"
SMALL_BODY = 65_536
"""Bytes that are read in less time than it takes to hand them over to a thread and back."""


@dataclass(frozen=True, slots=True)
class WorkersShare:
    """What the workers of a service share: a folder for figures and news of reloads, and whether
    one of them has begun to answer."""

    folder: Path
    has_opened: Event


class Service:
    """One process of a service."""

    def __init__(self, settings: ServiceSettings, shared: WorkersShare | None = None) -> None:
        """Load the models; an error names what cannot be used. Several workers are `shared`."""
        self.settings = settings
        self._shared = shared
        # Before the models are loaded: what is reloaded meanwhile is news.
        self._announcements = self._new_announcements()
        self.models = Models(settings.models, settings.runtime)
        self.metrics = Metrics(None if shared is None else shared.folder)
        self.gate = Doorkeeper(settings.security, workers=settings.workers)
        self.intake = Intake(settings.limits)
        self.queue = Queue(settings.batching, self.metrics.queue_is)
        self.batcher = Batcher(settings.batching, self.metrics.batch_was)
        self.audit = None if settings.audit.file is None else AuditLog(settings.audit)
        self.tracing = _tracing(settings.tracing)
        self.processes = threading.BoundedSemaphore(settings.limits.pdfs)
        self._drift = {one.name: Drift(settings.drift) for one in settings.models}
        self._names = tagger_or_rules(settings.deidentification.names, settings.runtime)
        self._pool = ThreadPoolExecutor(
            settings.batching.threads, thread_name_prefix="biobert-request"
        )
        # One after another: what a body becomes takes many times its bytes while it is looked at.
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="biobert-reading")
        self._reloading = ThreadPoolExecutor(1, thread_name_prefix="biobert-reload")
        self.is_open = False
        for served in self.models.all():
            self._note_model(served.identity, 1)
            self.metrics.expect_reloads(served.identity.name)

    def open(self) -> None:
        """Begin to take requests."""
        self.is_open = True
        if self._shared is not None:
            self._shared.has_opened.set()

    def close(self) -> None:
        """Finish what was taken, take nothing more."""
        self.is_open = False
        for pool in (self._reading, self._pool, self._reloading):
            pool.shutdown()
        self.batcher.close()
        if self.audit is not None:
            self.audit.close()
        if self.tracing is not None:
            self.tracing.close()

    def check_open(self) -> None:
        """Refuse before a service is ready, and while it shuts down."""
        if not self.is_open:
            raise Refusal(503, "not-ready", "the service starts or shuts down", retry_after=5)

    def check_texts(self, texts: Sequence[str]) -> Load:
        """What texts weigh, or Refusal for none, empty ones, too many or too long ones."""
        limits = self.settings.limits
        if not texts:
            raise invalid("there is no text")
        if len(texts) > limits.documents:
            raise too_large(f"{len(texts)} texts; a request holds {limits.documents}: send several")
        for number, text in enumerate(texts):
            if not text.strip():
                raise invalid(f"text {number} is empty")
            if len(text) > limits.characters:
                raise too_large(
                    f"text {number} has {len(text)} characters; {limits.characters} are taken: "
                    "split it"
                )
        return Load(len(texts), sum(map(len, texts)))

    async def read_aside(self, size: int, read: Callable[[], R]) -> R:
        """What `read` makes of a body of so many bytes: a large one is read in a thread of its own,
        while others are answered.

        Raises Refusal: 504 when the time is up.
        """
        if size <= SMALL_BODY:
            return read()
        reading = asyncio.get_running_loop().run_in_executor(self._reading, read)
        try:
            return await asyncio.wait_for(reading, self.settings.limits.request_seconds)
        except TimeoutError:
            raise self._too_late() from None

    def check_pairs(self, documents: Sequence[Document], task: Task, job: Job) -> None:
        """Refuse entities that make too many pairs: a small body of them makes much work."""
        relating = relation_tasks(task)
        most, count = self.settings.limits.pairs, 0
        for document in job.each(documents if relating else ()):
            try:
                count += sum(len(one.examples(document)) for one in relating)
            except BadInputError as problem:
                raise too_large(str(problem)) from None
            if count > most:
                raise too_large(f"more than {most} pairs of entities; send fewer at once")

    async def run(
        self, request: Request, asked: Sequence[Served], load: Load, work: Callable[[Job], R]
    ) -> R:
        """What `work` gives, in a thread of its own; it stops when the client goes or time is up.

        `asked` are the models it goes to. Raises Refusal: 429 without room, 504 when the time is
        up, 499 when the client went away.
        """
        name_models(request, asked)
        self.check_open()
        room = self.queue.reserve(load)
        trace: Trace | None = getattr(request.state, "trace", None)
        watch = None if trace is None else trace.batch_was
        job = Job(self.settings.limits.request_seconds, watch, room.resize)

        def begin() -> R:
            if trace is not None:
                trace.queued(job.began, time.monotonic())
            return work(job)

        running = self._pool.submit(begin)
        # Room is given back when the thread is done, not when the client stops waiting for it.
        running.add_done_callback(lambda _: room.release())
        request.state.documents, request.state.characters = load.documents, load.characters
        return await self._awaited(request, job, running)

    async def _awaited(self, request: Request, job: Job, running: Future[R]) -> R:
        answer: asyncio.Future[R] = asyncio.wrap_future(running)
        gone: asyncio.Future[None] = asyncio.ensure_future(_disconnected(request))
        try:
            waiting: set[asyncio.Future[Any]] = {answer, gone}
            await asyncio.wait(
                waiting, timeout=job.seconds_left, return_when=asyncio.FIRST_COMPLETED
            )
            if answer.done():
                return answer.result()
            raise client_gone() if gone.done() else JobStoppedError
        except JobStoppedError:
            raise self._too_late() from None
        finally:
            gone.cancel()
            if not answer.done():
                job.stop()
                answer.cancel()
                self.batcher.forget(job)

    def _too_late(self) -> Refusal:
        seconds = self.settings.limits.request_seconds
        return Refusal(
            504, "timeout", f"no answer within {seconds:g} seconds; send fewer or shorter texts"
        )

    def without_persons(
        self, documents: list[Document], asked: PersonsRequest, job: Job
    ) -> list[Document]:
        """The documents without what tells of persons, where that is wanted."""
        if not asked.deidentify:
            return documents
        deidentifier = self._deidentifier(job)
        return [deidentifier.deidentify(one).document for one in job.each(documents)]

    def texts_without_persons(
        self, texts: Sequence[str], asked: PersonsRequest, job: Job
    ) -> list[str]:
        """The same for texts that belong together: dates in them move alike."""
        if not asked.deidentify:
            return list(texts)
        deidentifier = self._deidentifier(job)
        clean = (deidentifier.deidentify(one, patient=TOGETHER) for one in job.each(texts))
        return [one.document.text for one in clean]

    def _deidentifier(self, job: Job) -> Deidentifier:
        """One for a request: with a key that lives longer, a caller could read off all shifts."""
        names = None if self._names is None else self._names.through(self._for_persons(job))
        replacement = self.settings.deidentification.replacement
        return Deidentifier(replacement=replacement, names=names, check=job.check)

    def _for_persons(self, job: Job) -> Callable[[Predictor], Predictor]:
        """What the model of names reads is in no figures of the models that answer."""
        return lambda one: JobPredictor(self.batcher, one, job, TokensRead())

    def note(
        self, request: Request, served: Sequence[Served], job: Job, documents: Sequence[Document]
    ) -> None:
        """Count what the models answered, and compare it with what they answered before.

        `documents` have all that the models found: what a request leaves out of its answer tells
        nothing of the texts.
        """
        load = Load(len(documents), sum(len(one.text) for one in documents))
        request.state.documents, request.state.characters = load.documents, load.characters
        for name in {one.identity.name for one in served}:
            self.metrics.answered(name, load, job.read[name])
        name = served[0].identity.name
        rates = job.read[name].unknown_rates(len(documents))
        self._drift[name].add(list(map(figures_of, documents, rates)))
        self.metrics.drift_is(name, self._drift[name].scores())

    async def reload(self, name: str) -> Reloaded:
        """Replace a model here, and tell the other workers.

        Raises Refusal where the new one cannot be used; the old one goes on.
        """
        self.models.named(name)
        if self.settings.security.reload == "nobody":
            raise Refusal(
                409,
                "not-reloaded",
                "other replicas would go on with the old model: deploy the service again, which "
                "loads it in all of them",
            )
        try:
            done = await self._replace(name)
        except BiobertError as problem:
            raise Refusal(409, "not-reloaded", f"{problem}; the old model answers on") from None
        if self._announcements is not None:
            self._announcements.announce(name)
        return done

    async def follow_news(self) -> None:
        """Reload what other workers have reloaded, for as long as the service runs, and go on where
        the audit log of all of them does."""
        while self._announcements is not None:
            await asyncio.sleep(NEWS_SECONDS)
            if self.audit is not None:
                await asyncio.to_thread(self.audit.follow)
            for name in self._announcements.news():
                try:
                    await self._replace(name)
                except BiobertError as problem:
                    log("not-reloaded", level=logging.ERROR, model=name, reason=str(problem))

    async def _replace(self, name: str) -> Reloaded:
        loading = asyncio.get_running_loop().run_in_executor(
            self._reloading, self.models.reload, name
        )
        try:
            done = await loading
        except BiobertError:
            self.metrics.reloads.labels(name, REFUSED).inc()
            raise
        self.metrics.reloads.labels(name, DONE).inc()
        self._note_model(done.before, 0)
        self._note_model(done.now, 1)
        # What another model found in the first texts is no reference for this one.
        self._drift[name] = Drift(self.settings.drift)
        self.metrics.drift_is(name, dict.fromkeys(FEATURES, 0.0))
        log("reloaded", model=name, digest=done.now.digest, before=done.before.digest)
        return done

    def _note_model(self, one: Identity, value: int) -> None:
        self.metrics.model_info.labels(one.name, one.task, one.version, one.digest).set(value)

    def _new_announcements(self) -> Announcements | None:
        if self._shared is None:
            return None
        return Announcements(self._shared.folder, [one.name for one in self.settings.models])


def _tracing(settings: TracingSettings) -> "Tracing | None":
    if settings.endpoint is None:
        return None
    from biobert.serving.tracing import Tracing

    return Tracing(settings)


async def _disconnected(request: Request) -> None:
    while (message := await request.receive())["type"] != "http.disconnect":
        del message


def name_models(request: Request, asked: Sequence[Served]) -> None:
    """Say for the logs which models are asked; one that gives no answer may have read a text."""
    request.state.model = " + ".join(dict.fromkeys(str(one.identity) for one in asked))


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    found: Any = request.app.state.service
    assert isinstance(found, Service)
    return found
