"""Where things are on this machine: the only reader of the environment."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from biobert.data.places import CorpusPlaces


def data_root() -> Path | None:
    """`BIOBERT_DATA`: a folder of corpora already at hand."""
    value = os.environ.get("BIOBERT_DATA")
    return Path(value) if value else None


def cache_folder() -> Path:
    """Where downloaded corpora are kept: `BIOBERT_CACHE`, or the user's cache folder."""
    value = os.environ.get("BIOBERT_CACHE")
    if value:
        return Path(value)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "biobert"


def corpus_places() -> "CorpusPlaces":
    """Both, as the rooms below take them."""
    from biobert.data.places import CorpusPlaces

    return CorpusPlaces(cache=cache_folder(), data_root=data_root())


def share_metrics(folder: Path) -> None:
    """Where prometheus-client keeps the figures that several processes share."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def without_telemetry() -> None:
    """Ray says nothing of its use to anyone, unless the environment asks for it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


def is_main_process() -> bool:
    """Whether this process may speak: the first of those that `torchrun` started, or the only."""
    return os.environ.get("RANK", "0") == "0"
