"""Finding a model and making it ready: the built-in one, or a model folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from biobert.core.errors import BadInputError, MissingExtraError
from biobert.core.model_folder import EXPORTED_MODEL, ModelManifest, read_manifest
from biobert.core.task import Predictor, Task
from biobert.runtime.ensemble import EnsemblePredictor
from biobert.runtime.load import find_exported, load_exported
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks import build_task
from biobert.text.tokenizer import Tokenizer

EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that can be used: what it is, and its three working parts."""

    manifest: ModelManifest
    task: Task
    tokenizer: Tokenizer
    predictor: Predictor


def model_folder(model: str | Path) -> Path:
    """The folder of a model; `embedded` is the one that ships with the package."""
    if str(model) == EMBEDDED:
        return Path(str(files("biobert") / "embedded"))
    folder = Path(model)
    if not folder.is_dir():
        raise BadInputError(
            f"no such model folder: {model}; name a folder, or `embedded`", code="not-found"
        )
    return folder


def load_model(
    model: str | Path = EMBEDDED,
    settings: RuntimeSettings = RuntimeSettings(),
    *,
    changes: Mapping[str, Any] | None = None,
) -> LoadedModel:
    """Load a model: its exported form where there is one, else its weights through torch.

    `changes` replace settings of its task.
    """
    folder = model_folder(model)
    manifest = read_manifest(folder)
    task = build_task(manifest.task, {**manifest.task_settings, **(changes or {})})
    predictor = _predictor(folder, manifest, task, settings)
    return LoadedModel(manifest, task, Tokenizer.from_folder(folder), predictor)


def _predictor(
    folder: Path, manifest: ModelManifest, task: Task, settings: RuntimeSettings
) -> Predictor:
    """Of an ensemble all members; of a single model its exported form where there is one."""
    if manifest.members:
        places = [folder / name for name in manifest.members]
        members = [_predictor(one, read_manifest(one), task, settings) for one in places]
        return EnsemblePredictor(members, task.heads(), rule=manifest.rule)
    exported = find_exported(folder, settings)
    if exported is not None:
        return load_exported(exported, task.heads(), settings)
    return _torch_predictor(folder, task, settings)


def _torch_predictor(folder: Path, task: Task, settings: RuntimeSettings) -> Predictor:
    if settings.engine not in ("auto", "torch"):
        raise BadInputError(
            f"{folder} has no {EXPORTED_MODEL} for engine {settings.engine!r}; "
            "make one with `biobert export`",
            code="not-found",
        )
    if find_spec("torch") is None:
        raise MissingExtraError("torch", "train")
    from biobert.model.predictor import load_predictor

    return load_predictor(
        folder,
        task.heads(),
        device=settings.device,
        precision="bf16" if settings.precision == "bf16" else "float32",
    )
