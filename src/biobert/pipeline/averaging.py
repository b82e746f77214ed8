"""An average of models as a model folder, with thresholds that hold for it."""

from collections.abc import Sequence
from pathlib import Path

from biobert.core.model_folder import ModelManifest, check_free, put_in_place, unfinished_folder
from biobert.data.places import CorpusPlaces
from biobert.pipeline.thresholds import devel_where_thresholds_differ, with_thresholds_from
from biobert.training.average import average_models


def write_average(
    models: Sequence[Path], output: Path, *, name: str, places: CorpusPlaces
) -> ModelManifest:
    """Write `output` with the mean of the models' weights; thresholds that differ are chosen anew.

    Raises BadInputError where the models cannot be averaged, or there is nothing to choose on.
    """
    check_free(output)
    with unfinished_folder(output) as folder:
        averaged = folder / output.name
        manifest = average_models(models, averaged, name=name)
        devel = devel_where_thresholds_differ(models, places)
        if devel:
            manifest = with_thresholds_from(averaged, devel)
        put_in_place(averaged, output)
    return manifest
