"""Keep the layers that matter most (structured pruning); a `train` step should follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biobert.compression.importance import most_important
from biobert.compression.steps._structured import check_kept, check_rows, weighed
from biobert.compression.workbench import Workbench, open_learner, own_encoder, write_learner
from biobert.model.pruning import with_layers


@dataclass(frozen=True, slots=True)
class LayerPruning:
    """How many layers stay; they are weighed on so many rows of the corpora.

    The importance is of first order (Molchanov et al. 2019, arXiv:1906.10771).
    """

    layers: int
    rows: int = 200

    def __post_init__(self) -> None:
        check_rows(self.rows)


SETTINGS = LayerPruning


def apply(
    source: Path, target: Path, settings: LayerPruning, bench: Workbench
) -> Mapping[str, Any]:
    """The folder without its least important layers; transformers opens it as before."""
    learner = open_learner(source)
    encoder = own_encoder(learner, "layers")
    present = encoder.layer_count
    check_kept("layers", settings.layers, present)
    importance = weighed(learner, settings.rows, bench).layers
    kept = most_important(importance, settings.layers)
    learner.network.encoder = with_layers(encoder, kept)
    write_learner(learner, source, target)
    return {"layers": [present, len(kept)], "kept": kept}
