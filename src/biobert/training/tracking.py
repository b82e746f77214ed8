"""Trackers of runs, through accelerate: a wrong or missing one is said before training starts."""

import re
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any

from accelerate.tracking import LOGGER_TYPE_TO_CLASS

from biobert.core.errors import BiobertError
from biobert.core.shelf import unknown_name
from biobert.training.history import by_detail

UNSAFE = re.compile(r"[^\w./ -]")
"""What MLflow refuses in the name of a metric, such as the + of `train+devel`."""


def check_trackers(names: Iterable[str]) -> None:
    """An error for a tracker that accelerate does not know or whose package is not installed."""
    for name in names:
        if name not in LOGGER_TYPE_TO_CLASS:
            raise unknown_name("tracker in run.trackers", name, LOGGER_TYPE_TO_CLASS)
        if find_spec(name) is None:
            raise BiobertError(
                f"tracker {name!r} is not installed; run: pip install {name}", code="missing-extra"
            )


def tracked_scores(main: float, shown: Mapping[str, float]) -> dict[str, float]:
    """`devel`, and each figure of each devel set as `devel/DETAIL/NAME`."""
    tracked = {"devel": main}
    for detail, by_set in by_detail(shown).items():
        for name, value in by_set.items():
            tracked[UNSAFE.sub("_", f"devel/{detail}/{name.strip('/')}")] = value
    return tracked


def flat_settings(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings with dotted names, as trackers want them."""
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        if isinstance(value, Mapping):
            flat |= flat_settings(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value if isinstance(value, int | float) else str(value)
    return flat
