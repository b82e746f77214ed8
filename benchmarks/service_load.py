"""The service under load: every answer compared with the offline one, its times, its memory.

    BIOBERT_DATA=DATA python benchmarks/service_load.py                 # 10 minutes for memory
    BIOBERT_DATA=DATA python benchmarks/service_load.py --seconds 5 --minutes 0.5

Clients of this machine send abstracts of the BC5CDR test split to `biobert serve` with the embedded
model, each the next one when the last is answered. Lost is what was not answered with 200, wrong
what differs from `Annotator` in a span, a label, or by more than 0.02 in a score. Then more is sent
than the service can answer: requests at three times its rate, whether answered or not, to a service
whose queue is short. Clients and service share the machine's cores.
"""

import argparse
import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

import httpx2
import numpy as np
from corpora import split_of
from machine import record
from service_process import RunningService, running_service

from biobert.core.document import Document
from biobert.data.formats.jsonl import document_from_json
from biobert.pipeline.annotator import Annotator

ABSTRACTS = 200
CLIENTS = (1, 8, 64)
CLIENTS_FOR_MEMORY = 8
TOO_MUCH = 3.0
"""How many times its capacity a service is asked."""
SHORT_QUEUE = ("--set", "batching.queued_documents=32")
MAY_REFUSE = {429, 503}
SCORE_TOLERANCE = 0.02
SAMPLE_SECONDS = 2.0
FEWEST_MINUTES = 3.0
MAY_GROW_MEGABYTES_A_MINUTE = 2.0
MUST_COME_BACK = 0.8
"""The share of its speed that a service has again after too much."""


@dataclass
class Tally:
    """What came of requests."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    words: int = 0
    without_retry_after: int = 0
    largest_score_difference: float = 0.0

    def figures(self, took: float) -> dict[str, Any]:
        cuts = quantiles(self.seconds, n=100) if len(self.seconds) > 1 else [0.0] * 99
        return {
            "requests_per_second": round(self.statuses["200"] / took, 1),
            "words_per_second": round(self.words / took),
            "p50_milliseconds": round(1000 * cuts[49], 1),
            "p99_milliseconds": round(1000 * cuts[98], 1),
            "statuses": dict(self.statuses),
            "lost": sum(self.statuses.values()) - self.statuses["200"],
            "wrong": self.wrong,
            "largest_score_difference": round(self.largest_score_difference, 6),
        }


@dataclass(frozen=True)
class Asker:
    """Sends texts, and compares the answers with what is expected."""

    client: httpx2.AsyncClient
    texts: Sequence[str]
    expected: Sequence[Document]

    async def ask(self, number: int, tally: Tally) -> None:
        text = self.texts[number % len(self.texts)]
        began = time.perf_counter()
        try:
            answer = await self.client.post("/v1/annotate", json={"text": text})
        except httpx2.TransportError as problem:
            tally.statuses[type(problem).__name__] += 1
            return
        tally.statuses[str(answer.status_code)] += 1
        if answer.status_code in MAY_REFUSE and "retry-after" not in answer.headers:
            tally.without_retry_after += 1
        if answer.status_code == 200:
            tally.seconds.append(time.perf_counter() - began)
            tally.words += len(text.split())
            found = document_from_json(answer.json()["documents"][0])
            self._compare(found, self.expected[number % len(self.texts)], tally)

    def _compare(self, found: Document, expected: Document, tally: Tally) -> None:
        places = [
            [(one.start, one.end, one.label) for one in document.entities]
            for document in (found, expected)
        ]
        if places[0] != places[1] or found.text != expected.text:
            tally.wrong += 1
            return
        pairs = zip(found.entities, expected.entities, strict=True)
        differences = [abs((one.score or 0) - (other.score or 0)) for one, other in pairs]
        largest = max(differences, default=0.0)
        tally.wrong += largest > SCORE_TOLERANCE
        tally.largest_score_difference = max(largest, tally.largest_score_difference)


async def closed_loop(asker: Asker, clients: int, seconds: float) -> dict[str, Any]:
    """Each client sends the next text when the last was answered."""
    tally, end = Tally(), time.perf_counter() + seconds
    began = time.perf_counter()

    async def client(first: int) -> None:
        number = first
        while time.perf_counter() < end:
            await asker.ask(number, tally)
            number += clients

    await asyncio.gather(*(client(first) for first in range(clients)))
    return tally.figures(time.perf_counter() - began)


async def open_loop(asker: Asker, rate: float, seconds: float) -> tuple[Tally, float]:
    """So many requests a second, answered or not; what came of them, and how long it took."""
    tally, began = Tally(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            group.create_task(asker.ask(number, tally))
    return tally, time.perf_counter() - began


async def while_sampling(
    service: RunningService, work: Awaitable[Any]
) -> tuple[Any, list[tuple[float, float]]]:
    """What work gives, and the megabytes of the service while it went on, by seconds."""
    samples: list[tuple[float, float]] = []
    began = time.monotonic()

    async def sample() -> None:
        while True:
            samples.append((time.monotonic() - began, service.megabytes()))
            await asyncio.sleep(SAMPLE_SECONDS)

    sampling = asyncio.create_task(sample())
    try:
        return await work, samples
    finally:
        sampling.cancel()


def memory_figures(samples: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """How memory grew: by least squares, without the first third, in which caches fill."""
    later = np.array(samples[len(samples) // 3 :])
    slope = np.polyfit(later[:, 0] / 60.0, later[:, 1], 1)[0] if len(later) > 2 else float("nan")
    megabytes = [value for _, value in samples]
    return {
        "megabytes_first": round(megabytes[0]),
        "megabytes_last": round(megabytes[-1]),
        "megabytes_most": round(max(megabytes)),
        "megabytes_a_minute": round(float(slope), 3),
    }


async def with_asker(
    service: RunningService,
    texts: Sequence[str],
    expected: Sequence[Document],
    work: Callable[[Asker], Awaitable[dict[str, Any]]],
) -> dict[str, Any]:
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=128)
    async with httpx2.AsyncClient(
        base_url=service.address, limits=limits, timeout=120.0, trust_env=False
    ) as client:
        asker = Asker(client, texts, expected)
        for number in range(8):
            await asker.ask(number, Tally())
        return await work(asker)


def main() -> None:
    options = _options()
    texts = [document.text for document in split_of("BC5CDR-pubtator", "test")][:ABSTRACTS]
    expected, offline = _offline(texts)
    print("offline:", offline, "words a second", flush=True)

    async def ordinary(asker: Asker) -> dict[str, Any]:
        found = {}
        for clients in CLIENTS:
            found[str(clients)] = await closed_loop(asker, clients, options.seconds)
            print(clients, "clients:", found[str(clients)], flush=True)
        return found

    with running_service("--workers", options.workers) as service:
        clients = asyncio.run(with_asker(service, texts, expected, ordinary))
        memory = asyncio.run(
            with_asker(service, texts, expected, lambda one: _memory(service, one, options.minutes))
        )
        print("memory:", memory, flush=True)
    capacity = max(one["requests_per_second"] for one in clients.values())
    with running_service("--workers", options.workers, *SHORT_QUEUE) as service:
        overload = asyncio.run(
            with_asker(
                service, texts, expected, lambda one: _overload(one, capacity, options.seconds)
            )
        )
        overload["megabytes_after"] = round(service.megabytes())
    print("overload:", overload, flush=True)
    figures = {
        "workers": options.workers,
        "seconds": options.seconds,
        "load_average": [round(one, 1) for one in os.getloadavg()],
        "offline_words_per_second": offline,
        "clients": clients,
        "memory": {"minutes": options.minutes, **memory},
        "overload": overload,
    }
    record("service", figures)
    _check(figures)


async def _memory(service: RunningService, asker: Asker, minutes: float) -> dict[str, Any]:
    work = closed_loop(asker, CLIENTS_FOR_MEMORY, 60.0 * minutes)
    figures, samples = await while_sampling(service, work)
    return {**memory_figures(samples), "lost": figures["lost"], "wrong": figures["wrong"]}


async def _overload(asker: Asker, capacity: float, seconds: float) -> dict[str, Any]:
    before = await closed_loop(asker, CLIENTS_FOR_MEMORY, seconds)
    tally, took = await open_loop(asker, TOO_MUCH * capacity, seconds)
    after = await closed_loop(asker, CLIENTS_FOR_MEMORY, seconds)
    figures = tally.figures(took)
    # What was refused with a word is not lost; other statuses are seen as such.
    del figures["lost"]
    return {
        "sent_per_second": round(TOO_MUCH * capacity, 1),
        **figures,
        "without_retry_after": tally.without_retry_after,
        "requests_per_second_before": before["requests_per_second"],
        "requests_per_second_after": after["requests_per_second"],
        "lost_after": after["lost"],
        "wrong_after": after["wrong"],
    }


def _offline(texts: Sequence[str]) -> tuple[list[Document], int]:
    annotator = Annotator()
    expected = list(annotator.annotate_many(texts))
    began = time.perf_counter()
    list(annotator.annotate_many(texts))
    words = sum(len(text.split()) for text in texts)
    return expected, round(words / (time.perf_counter() - began))


def _check(figures: dict[str, Any]) -> None:
    """Fail where an answer was lost or wrong, a refusal was not a clean one, memory grew, or
    nothing was refused of too much, or the service did not come back to its speed.
    """
    overload = figures["overload"]
    speeds = [overload[f"requests_per_second_{when}"] for when in ("before", "after")]
    wrong = [name for name, one in figures["clients"].items() if one["lost"] or one["wrong"]]
    if figures["memory"]["lost"] or figures["memory"]["wrong"]:
        wrong.append("answers while memory was watched")
    # Of less than some minutes the slope says nothing.
    is_told = figures["memory"]["minutes"] >= FEWEST_MINUTES
    if is_told and not figures["memory"]["megabytes_a_minute"] < MAY_GROW_MEGABYTES_A_MINUTE:
        wrong.append("memory")
    if not any(overload["statuses"].get(status) for status in ("429", "503")):
        wrong.append("the overload, which refused nothing")
    if speeds[1] < MUST_COME_BACK * speeds[0]:
        wrong.append("the speed after the overload")
    if overload["statuses"].keys() - {"200", "429", "503"} or overload["without_retry_after"]:
        wrong.append("refusals of the overload")
    if overload["wrong"] or overload["wrong_after"] or overload["lost_after"]:
        wrong.append("answers of the overload")
    if wrong:
        raise SystemExit(f"not as it should be: {', '.join(wrong)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="for each number of clients")
    parser.add_argument("--minutes", type=float, default=10.0, help="for the memory")
    parser.add_argument("--workers", type=int, default=1, help="processes of the service")
    return parser.parse_args()


if __name__ == "__main__":
    main()
