"""Keep the attention heads that matter most, as many in each layer (structured pruning); a `train`
step should follow. transformers does not open the result: see `EncoderSettings.head_size`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biobert.compression.importance import most_important
from biobert.compression.steps._structured import check_kept, check_rows, weighed
from biobert.compression.workbench import Workbench, open_learner, own_encoder, write_learner
from biobert.model.pruning import with_heads


@dataclass(frozen=True, slots=True)
class HeadPruning:
    """How many heads each layer keeps; they are weighed on so many rows of the corpora.

    The importance is that of Michel et al. 2019 (arXiv:1905.10650).
    """

    heads: int
    rows: int = 200

    def __post_init__(self) -> None:
        check_rows(self.rows)


SETTINGS = HeadPruning


def apply(source: Path, target: Path, settings: HeadPruning, bench: Workbench) -> Mapping[str, Any]:
    """The folder with fewer heads, each as wide as before, for our own encoder alone."""
    learner = open_learner(source)
    encoder = own_encoder(learner, "heads")
    present = encoder.settings.heads
    check_kept("heads", settings.heads, present)
    importance = weighed(learner, settings.rows, bench).heads
    kept = [most_important(one, settings.heads) for one in importance]
    learner.network.encoder = with_heads(encoder, kept)
    write_learner(learner, source, target)
    return {
        "heads": [present, settings.heads],
        "kept": kept,
        "note": "transformers does not know this shape: biobert loads it, and exports it",
    }
