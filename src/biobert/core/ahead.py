"""Work that is done ahead of its use, by a thread of its own."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def made_ahead(make: Callable[[K], V], keys: Iterable[K], *, ahead: int = 2) -> Iterator[V]:
    """`make(key)` for each key, in order; up to `ahead` more are made while one is in use.

    What `make` raises is raised where its value would have come. Calls can be chained: the keys may
    be made ahead too.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting: deque[Future[V]] = deque()
        for key in keys:
            waiting.append(pool.submit(make, key))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
