"""Models that are adapters of one encoder, loaded together: its weights are held once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from biobert.core.errors import BadInputError
from biobert.pipeline.load import LoadedModel, load_model, model_folder
from biobert.runtime.settings import RuntimeSettings


def load_adapters(
    models: Mapping[str, str | Path], settings: RuntimeSettings = RuntimeSettings()
) -> dict[str, LoadedModel]:
    """The models by the names they are given here; `Annotator(loaded[name])` uses one of them.

    Raises BadInputError for a folder that holds no adapter.
    """
    from biobert.model.adaptation import read_adaptation

    for model in models.values():
        if read_adaptation(model_folder(model)) is None:
            raise BadInputError(f"{model} holds a whole model, no adapter; load it by itself")
    bases: dict[str, Any] = {}
    return {name: load_model(model, settings, bases=bases) for name, model in models.items()}
