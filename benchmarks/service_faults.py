"""What a service does when something breaks, or someone is hostile, while it is at work.

    python benchmarks/service_faults.py
    python benchmarks/service_faults.py killed-worker slow-clients

For each fault a service is started and asked all the time; the figures say what came of that. A
fault that is not survived as it should be ends the run with an error.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
from machine import record
from service_process import RunningService, running_service

from biobert.pipeline.load import model_folder
from biobert.serving.keys import create_key
from biobert.serving.server import TRY_AGAIN_SECONDS

TEXT = "Aspirin may cause gastric ulcers in patients with diabetes."
CLIENTS = 4
SLOW_CLIENTS = 300
IDLE_SECONDS = 5
LARGE_BODIES = 20
LARGE_BYTES = 100_000_000
ALL_BODIES = ("--set", "limits.all_bodies_bytes=50000000")
MAY_GROW_MEGABYTES = 150.0
MAY_TAKE_SECONDS = 10.0
JSON = {"content-type": "application/json"}
PAGE = {**JSON, "accept": "text/html"}
ANNOTATE, CONVERT = "/v1/annotate", "/v1/convert"
BIOC = f"{ANNOTATE}?format=bioc-json"
HOSTILE_JSON = {
    "invalid UTF-8": b'{"text": "\xff\xfe"}',
    "deep JSON": b'{"text": ' + b"[" * 4_000_000,
    "deep objects": b'{"a":' * 1_000_000 + b"1" + b"}" * 1_000_000,
    "half a surrogate": b'{"text": "\\ud800"}',
    "a long number": b'{"text": 1' + b"0" * 5_000_000 + b"}",
    "many keys": b'{"text": "a"' + b"".join(b',"k%d":1' % n for n in range(300_000)) + b"}",
    "objects without a text": b'{"documents": [' + b"{}," * 3_000_000 + b"{}]}",
    "entities without a place": b'{"documents": [{"text": "a", "entities": ['
    + b"{}," * 3_000_000
    + b"{}]}]}",
    "many documents": b'{"documents": [' + b'{"text":"a"},' * 700_000 + b'{"text":"a"}]}',
    "many entities": b'{"documents": [{"text": "a", "entities": ['
    + b'{"start":0,"end":1,"label":"a"},' * 300_000
    + b'{"start":0,"end":1,"label":"a"}]}]}',
    "a text of control characters": b'{"text": "' + b"\\u0001" * 100_000 + b'"}',
    "a text of one word": b'{"text": "' + b"a" * 900_000 + b'"}',
}
"""Bodies, each smaller than what the service takes."""
NESTED = b",".join(b'{"start":%d,"end":%d,"label":"X"}' % (n, 3_000 - n) for n in range(600))
HOSTILE = {name: (ANNOTATE, JSON, body) for name, body in HOSTILE_JSON.items()} | {
    "entities in each other": (
        CONVERT,
        PAGE,
        b'{"documents":[{"id":"1","text":"%s","entities":[%s]}]}' % (b"word " * 600, NESTED),
    ),
    "annotations without a place": (
        BIOC,
        JSON,
        b'{"passages": [{"text": "a", "annotations": [' + b"{}," * 3_300_000 + b"{}]}]}",
    ),
}
"""Each with where it is sent, and its headers."""

Figures = dict[str, Any]


async def while_asked(
    service: RunningService, fault: Callable[[], Awaitable[Figures]], headers: dict[str, str]
) -> Figures:
    """The figures of a fault, and what came of ordinary requests while it went on and after."""
    statuses: Counter[str] = Counter()
    running = True

    async def client() -> None:
        async with httpx2.AsyncClient(timeout=60.0, headers=headers, trust_env=False) as own:
            while running:
                try:
                    answer = await own.post(f"{service.address}/v1/annotate", json={"text": TEXT})
                    statuses[str(answer.status_code)] += 1
                except httpx2.TransportError as problem:
                    statuses[type(problem).__name__] += 1
                    await asyncio.sleep(0.05)

    clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    await asyncio.sleep(1.0)
    figures = await fault()
    during = dict(statuses)
    statuses.clear()
    await asyncio.sleep(2.0)
    running = False
    await asyncio.gather(*clients)
    return {**figures, "statuses_during": during, "statuses_after": dict(statuses)}


def killed_worker() -> Figures:
    """One of two workers is killed: what it had in hand is lost, and another takes its place."""
    with running_service("--workers", 2) as service:

        async def kill() -> Figures:
            before = {one.pid for one in service.workers()}
            began = time.monotonic()
            os.kill(min(before), 9)
            while len({one.pid for one in service.workers()} - before) < 1:
                await asyncio.sleep(0.05)
            await asyncio.sleep(5.0)
            return {"seconds_to_replace": round(time.monotonic() - began - 5.0, 2)}

        found = asyncio.run(while_asked(service, kill, {}))
        found["workers"] = len(service.workers())
    return check_replaced(found)


def killed_worker_of_a_damaged_model() -> Figures:
    """One of two workers is killed, and its model is damaged: the other one answers on, and when
    the model is mended another takes its place.
    """
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        shutil.copytree(model_folder("embedded"), model)
        with running_service("--workers", 2, "--model", f"mine={model}") as service:

            async def kill() -> Figures:
                whole = (model / "model.onnx").read_bytes()
                (model / "model.onnx").write_bytes(whole[: len(whole) // 2])
                os.kill(min(one.pid for one in service.workers()), 9)
                began = time.monotonic()
                while '"cannot-start"' not in service.log.read_text():
                    await asyncio.sleep(0.2)
                seconds = round(time.monotonic() - began, 2)
                await asyncio.sleep(TRY_AGAIN_SECONDS / 2)
                (model / "model.onnx").write_bytes(whole)
                await asyncio.sleep(TRY_AGAIN_SECONDS + seconds)
                return {"seconds_to_fail": seconds}

            found = asyncio.run(while_asked(service, kill, {}))
            found["workers"] = len(service.workers())
    return check_replaced(found)


def check_replaced(found: Figures) -> Figures:
    """No more was lost than the killed worker had in hand, and there are two again."""
    lost = sum(found["statuses_during"].values()) - found["statuses_during"]["200"]
    check(lost <= CLIENTS, f"{lost} requests were lost; no more than {CLIENTS} were in hand")
    check(found["workers"] == 2, "the worker was not replaced")
    check_recovered(found)
    return {**found, "lost": lost}


def damaged_model() -> Figures:
    """A model is damaged and loaded anew: that is refused, and the old one answers on."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(model_folder("embedded"), root / "model")
        headers = {"x-api-key": create_key(root / "keys.json", "admin", role="admin")[1]}
        rates = ("--set", "security.requests_per_minute=1000000", "--set", "security.burst=1000000")
        served = ("--model", f"mine={root / 'model'}", "--keys", root / "keys.json")
        with running_service(*served, *rates) as service:

            async def damage() -> Figures:
                whole = (root / "model/model.onnx").read_bytes()
                (root / "model/model.onnx").write_bytes(whole[: len(whole) // 2])
                async with httpx2.AsyncClient(timeout=60.0, headers=headers) as client:
                    url, body = f"{service.address}/v1/models/reload", {"model": "mine"}
                    refused = await client.post(url, json=body)
                    (root / "model/model.onnx").write_bytes(whole)
                    mended = await client.post(url, json=body)
                return {"damaged": refused.status_code, "mended": mended.status_code}

            found = asyncio.run(while_asked(service, damage, headers))
    check((found["damaged"], found["mended"]) == (409, 200), f"reloads: {found}")
    check(found["statuses_during"].keys() == {"200"}, f"not all were answered: {found}")
    check_recovered(found)
    return found


def full_disk() -> Figures:
    """The audit log cannot be written: nothing is answered without it, and the service lives."""
    with tempfile.TemporaryDirectory() as folder:
        audit = ("--audit-log", "/dev/full", "--set", f"audit.secret={Path(folder) / 'secret'}")
        with running_service(*audit) as service:

            async def wait() -> Figures:
                await asyncio.sleep(2.0)
                async with httpx2.AsyncClient() as client:
                    answer = await client.post(
                        f"{service.address}/v1/annotate", json={"text": TEXT}
                    )
                return {
                    "retry_after": answer.headers.get("retry-after"),
                    "live": service.is_ready(),
                }

            found = asyncio.run(while_asked(service, wait, {}))
    check(found["statuses_during"].keys() == {"503"}, f"answered without a log: {found}")
    check(bool(found["retry_after"] and found["live"]), f"no clean refusal: {found}")
    return found


def slow_clients() -> Figures:
    """Hundreds of clients that send half a head: others are answered, and they are closed."""
    options = ("--set", f"limits.idle_seconds={IDLE_SECONDS}")
    with running_service(*options) as service:

        async def trickle() -> Figures:
            began = time.monotonic()
            with contextlib.ExitStack() as held:
                sockets = [held.enter_context(_half_a_head(service)) for _ in range(SLOW_CLIENTS)]
                while sockets and time.monotonic() - began < 4 * IDLE_SECONDS:
                    await asyncio.sleep(0.5)
                    sockets = [one for one in sockets if not await asyncio.to_thread(_ended, one)]
            return {"held": SLOW_CLIENTS, "seconds": round(time.monotonic() - began, 1),
                    "left": len(sockets)}  # fmt: skip

        found = asyncio.run(while_asked(service, trickle, {}))
    check(found["left"] == 0, f"{found['left']} connections were never closed")
    check(found["statuses_during"].keys() == {"200"}, f"others were not answered: {found}")
    check_recovered(found)
    return found


def large_bodies() -> Figures:
    """Many bodies of 100 MB at once, with and without a length: refused, and memory stays."""
    with running_service(*ALL_BODIES) as service:

        async def send() -> Figures:
            before = service.megabytes()
            async with httpx2.AsyncClient(timeout=120.0, trust_env=False) as client:
                sent = [_send_large(client, service, number % 2) for number in range(LARGE_BODIES)]
                gathered = asyncio.gather(*sent)
                most = before
                while not gathered.done():
                    most = max(most, service.megabytes())
                    await asyncio.sleep(0.05)
            return {
                "answers": dict(Counter(await gathered)),
                "megabytes_grown": round(most - before),
            }

        found = asyncio.run(while_asked(service, send, {}))
    # A client that writes on may find the connection closed before it reads the refusal.
    check(found["answers"].keys() <= {"413", "429", "closed"}, f"answers: {found['answers']}")
    check(found["megabytes_grown"] < MAY_GROW_MEGABYTES, f"memory: {found}")
    check_recovered(found)
    return found


def hostile_bodies() -> Figures:
    """Bodies made to break a parser: each a clean no or an answer, while others are answered."""
    with running_service() as service:

        async def send() -> Figures:
            answers: Figures = {}
            before = service.megabytes()
            async with httpx2.AsyncClient(timeout=120.0, trust_env=False) as client:
                for name, (path, headers, body) in HOSTILE.items():
                    began = time.monotonic()
                    url = f"{service.address}{path}"
                    found = await client.post(url, content=body, headers=headers)
                    seconds = round(time.monotonic() - began, 2)
                    answers[name] = {"status": found.status_code, "seconds": seconds}
            return {"answers": answers, "megabytes_grown": round(service.megabytes() - before)}

        found = asyncio.run(while_asked(service, send, {}))
    for name, answer in found["answers"].items():
        check(answer["status"] in (200, 400, 413, 422), f"{name}: {answer}")
        check(answer["seconds"] < MAY_TAKE_SECONDS, f"{name}: {answer}")
    check(found["statuses_during"].keys() == {"200"}, f"others were not answered: {found}")
    check_recovered(found)
    return found


FAULTS: dict[str, Callable[[], Figures]] = {
    "killed-worker": killed_worker,
    "killed-worker-of-a-damaged-model": killed_worker_of_a_damaged_model,
    "damaged-model": damaged_model,
    "full-disk": full_disk,
    "slow-clients": slow_clients,
    "large-bodies": large_bodies,
    "hostile-bodies": hostile_bodies,
}


def check_recovered(found: Figures) -> None:
    """Afterwards all is as before."""
    check(found["statuses_after"].keys() == {"200"}, f"not recovered: {found['statuses_after']}")


def check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SystemExit(otherwise)


@contextlib.contextmanager
def _half_a_head(service: RunningService) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", service.port)) as one:
        one.sendall(b"POST /v1/annotate HTTP/1.1\r\nHost: localhost\r\n")
        one.settimeout(0.001)
        yield one


def _ended(one: socket.socket) -> bool:
    """Whether the service has closed the connection; if not, a few bytes more trickle in."""
    try:
        if one.recv(1000) == b"":
            return True
        one.sendall(b"X-More: a\r\n")
    except TimeoutError:
        return False
    except OSError:
        return True
    return False


async def _send_large(client: httpx2.AsyncClient, service: RunningService, declared: int) -> str:
    async def body() -> Any:
        for _ in range(LARGE_BYTES // 1_000_000):
            yield b"a" * 1_000_000

    headers = {**JSON, **({"content-length": str(LARGE_BYTES)} if declared else {})}
    try:
        url = f"{service.address}/v1/annotate"
        return str((await client.post(url, content=body(), headers=headers)).status_code)
    except httpx2.TransportError:
        return "closed"


def main() -> None:
    for name in sys.argv[1:] or FAULTS:
        figures = FAULTS[name]()
        print(name, figures, flush=True)
        record("service-faults", {"fault": name, **figures})


if __name__ == "__main__":
    main()
