"""Trackers of runs, through accelerate: a wrong or missing one is said before training starts."""

from collections.abc import Iterable
from importlib.util import find_spec

from accelerate.tracking import LOGGER_TYPE_TO_CLASS

from biobert.core.errors import BiobertError
from biobert.core.shelf import unknown_name


def check_trackers(names: Iterable[str]) -> None:
    """An error for a tracker that accelerate does not know or whose package is not installed."""
    for name in names:
        if name not in LOGGER_TYPE_TO_CLASS:
            raise unknown_name("tracker in run.trackers", name, LOGGER_TYPE_TO_CLASS)
        if find_spec(name) is None:
            raise BiobertError(
                f"tracker {name!r} is not installed; run: pip install {name}", code="missing-extra"
            )
