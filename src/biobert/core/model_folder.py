"""The model folder: what training writes, and inference, serving and the hub read.

config.json, model.safetensors      weights, as transformers reads them
tokenizer.json, tokenizer_config.json
biobert.json                        the manifest below
model.onnx                          the exported model, where there is one
README.md                           the model card
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from biobert.core.files import read_json
from biobert.core.settings import from_mapping

MANIFEST = "biobert.json"
EXPORTED_MODEL = "model.onnx"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """What a model is: its task and settings, where it came from, and what it scored."""

    name: str
    task: str
    task_settings: Mapping[str, Any]
    version: str = "1"
    recipe: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

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
