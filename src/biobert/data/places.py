"""Where corpora lie on this machine."""

from dataclasses import dataclass
from pathlib import Path

from biobert.core.arguments import check_kind


@dataclass(frozen=True, slots=True)
class CorpusPlaces:
    """Where corpora lie on this machine, and where fetched ones are kept; strings become paths."""

    cache: Path
    data_root: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "cache", Path(self.cache))
        if self.data_root is not None:
            object.__setattr__(self, "data_root", Path(self.data_root))


def check_places(places: object) -> None:
    """An error that names the cure where a folder, say, stands for the places of corpora."""
    cure = "CorpusPlaces(cache=a folder for what is fetched, data_root=a folder of corpora)"
    check_kind("places", places, CorpusPlaces, cure)
