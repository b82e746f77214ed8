"""Keep the feed-forward neurons that matter most, as many in each layer (structured pruning); a
`train` step should follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biobert.compression.importance import most_important
from biobert.compression.steps._structured import check_kept, check_rows, weighed
from biobert.compression.workbench import Workbench, open_learner, own_encoder, write_learner
from biobert.model.pruning import with_neurons


@dataclass(frozen=True, slots=True)
class WidthPruning:
    """How many neurons each feed-forward keeps; they are weighed on so many rows of the corpora.

    The importance is of first order (Molchanov et al. 2019, arXiv:1906.10771).
    """

    intermediate_size: int
    rows: int = 200

    def __post_init__(self) -> None:
        check_rows(self.rows)


SETTINGS = WidthPruning


def apply(
    source: Path, target: Path, settings: WidthPruning, bench: Workbench
) -> Mapping[str, Any]:
    """The folder with narrower feed-forwards; transformers opens it as before."""
    learner = open_learner(source)
    encoder = own_encoder(learner, "width")
    present = encoder.settings.intermediate_size
    check_kept("intermediate_size", settings.intermediate_size, present)
    importance = weighed(learner, settings.rows, bench).neurons
    kept = [most_important(one, settings.intermediate_size) for one in importance]
    learner.network.encoder = with_neurons(encoder, kept)
    write_learner(learner, source, target)
    return {"intermediate_size": [present, settings.intermediate_size]}
