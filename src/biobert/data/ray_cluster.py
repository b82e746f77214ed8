"""The Ray cluster at work."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import ray


@contextmanager
def on_cluster() -> Iterator[None]:
    """Inside, this process has a Ray cluster: its own, or one of this machine for the while."""
    started = not ray.is_initialized()
    if started:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.WARNING)
    try:
        yield
    finally:
        if started:
            ray.shutdown()
