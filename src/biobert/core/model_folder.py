"""The model folder: what training writes, and inference, serving and the hub read.

config.json, model.safetensors      weights, as transformers reads them; model.sparse.safetensors
                                    holds them without their zeros
tokenizer.json, tokenizer_config.json
biobert.json                        the manifest below
model.onnx; model.xml, model.bin    the exported model, where there is one
README.md                           the model card
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from biobert.core.errors import BadInputError
from biobert.core.files import read_json
from biobert.core.settings import from_mapping

MANIFEST = "biobert.json"
EXPORTED_MODEL = "model.onnx"
EXPORTED_OPENVINO = "model.xml"
WEIGHTS = "model.safetensors"
SPARSE_WEIGHTS = "model.sparse.safetensors"


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """What a model is: its task and settings, where it came from, and what it scored.

    An ensemble names its `members`, folders inside its own, and the `rule` that joins them.
    `compression` says what was made smaller, and what that cost: see pipeline/compressing.py.
    """

    name: str
    task: str
    task_settings: Mapping[str, Any]
    version: str = "1"
    recipe: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    rule: Literal["mean", "vote"] = "mean"
    compression: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write `biobert.json` into the folder."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> ModelManifest:
    """The manifest of a model folder; says what is wrong when there is none."""
    path = folder / MANIFEST
    values = read_json(
        path,
        missing=f"{folder} is not a model folder of biobert: it has no {MANIFEST}; "
        "train one with `biobert train`, or name `embedded` for the model that is built in",
    )
    return from_mapping(ModelManifest, values, place=str(path))


def check_same_answers(models: Sequence[Path]) -> None:
    """An error unless all models give answers of one kind, from the same token ids."""
    first, *others = (read_manifest(model) for model in models)
    vocabulary = (models[0] / "tokenizer.json").read_bytes()
    for model, manifest in zip(models[1:], others, strict=True):
        if _answers(manifest) != _answers(first):
            raise BadInputError(f"{model} and {models[0]} differ in task, labels or scheme")
        if (model / "tokenizer.json").read_bytes() != vocabulary:
            raise BadInputError(f"{model} and {models[0]} differ in their tokenizers")


def _answers(manifest: ModelManifest) -> tuple[object, ...]:
    settings = manifest.task_settings
    kinds = ("labels", "scheme", "choice", "passages", "hidden_layers", "marking")
    return (manifest.task, *(settings.get(kind) for kind in kinds))
