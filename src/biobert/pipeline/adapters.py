"""Models that are adapters of one encoder, loaded together: its weights are held once."""

from collections.abc import Mapping
from pathlib import Path

from biobert.core.model_folder import read_manifest
from biobert.pipeline.load import LoadedModel, model_folder
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks import build_task
from biobert.text.tokenizer import Tokenizer


def load_adapters(
    models: Mapping[str, str | Path], settings: RuntimeSettings = RuntimeSettings()
) -> dict[str, LoadedModel]:
    """The models by the names they are given here; `Annotator(loaded[name])` uses one of them."""
    from biobert.model.switching import load_adapter_predictors

    folders = {name: model_folder(model) for name, model in models.items()}
    manifests = {name: read_manifest(folder) for name, folder in folders.items()}
    tasks = {name: build_task(one.task, one.task_settings) for name, one in manifests.items()}
    predictors = load_adapter_predictors(
        {folder: tasks[name].heads() for name, folder in folders.items()},
        device=settings.device,
        precision="bf16" if settings.precision == "bf16" else "float32",
    )
    return {
        name: LoadedModel(
            manifests[name], tasks[name], Tokenizer.from_folder(folder), predictors[folder]
        )
        for name, folder in folders.items()
    }
