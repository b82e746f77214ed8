"""The model folder: what training writes, and inference, serving and the hub read.

config.json, model.safetensors      weights, as transformers reads them; model.sparse.safetensors
                                    holds them without their zeros
tokenizer.json, tokenizer_config.json
biobert.json                        the manifest below
model.onnx; model.xml, model.bin    the exported model, where there is one
decoder.onnx; decoder.xml, decoder.bin   beside it, where it writes texts: it then reads them
README.md                           the model card
"""

import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from biobert.core.errors import BadInputError
from biobert.core.files import read_json
from biobert.core.settings import from_mapping

MANIFEST = "biobert.json"
CONFIG = "config.json"
CARD = "README.md"
EXPORTED_MODEL = "model.onnx"
EXPORTED_DECODER = "decoder.onnx"
EXPORTED_OPENVINO = "model.xml"
WEIGHTS = "model.safetensors"
SPARSE_WEIGHTS = "model.sparse.safetensors"
THRESHOLDS = ("thresholds", "threshold", "no_answer_margin", "list_threshold")
"""Settings of a task that training chooses on devel; by default none holds."""
PRIOR = "negatives"
"""The setting by which a task corrects what its training met too seldom."""
TUNED = (*THRESHOLDS, PRIOR, "weights", "measure", "windows")
"""Settings of a task in which models may differ whose answers are joined."""


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """What a model is: its task and settings, where it came from, and what it scored.

    An ensemble names its `members`, folders inside its own, and the `rule` that joins them.
    `compression` says what was made smaller, and what that cost: see pipeline/compressing.py.
    `learnt_before` has the `origin` of each model that it began from, was made of or was taught by;
    folders written before this was noted have None.
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
    learnt_before: tuple[Mapping[str, Any], ...] | None = None

    def origin(self) -> dict[str, Any]:
        """What those that come after must know of it, to know what they have learnt from."""
        return {"recipe": self.recipe, "learnt_before": self.learnt_before}

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


def exported_graphs(folder: Path) -> list[Path]:
    """The ONNX files of an exported model: one, or two where it writes texts."""
    paths = (folder / name for name in (EXPORTED_MODEL, EXPORTED_DECODER))
    return [path for path in paths if path.is_file()]


def check_replaceable(output: Path, source: Path) -> None:
    """An error unless a model made from `source` can be written as `output`: where nothing is, or
    another model folder."""
    if output.resolve() in (source.resolve(), *source.resolve().parents):
        raise BadInputError(f"{output} is or holds the model's own folder: choose another folder")
    if output.exists() and not (output / MANIFEST).is_file():
        raise BadInputError(f"{output} is there and no model folder: choose another --output")


def check_free(output: Path) -> None:
    """An error where something stands in the place of a model that is to be written."""
    if output.exists():
        raise BadInputError(f"{output} exists; choose another --output")


@contextmanager
def placed_folder(output: Path) -> Iterator[Path]:
    """A hidden folder that stands as `output` at the end; where the work in it fails, nothing
    changes."""
    with unfinished_folder(output) as folder:
        yield folder
        put_in_place(folder, output)


@contextmanager
def unfinished_folder(output: Path) -> Iterator[Path]:
    """A hidden folder beside the output, gone at the end whatever happens."""
    folder = output.with_name(f".{output.name}.part")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(finished: Path, output: Path) -> None:
    """Rename a finished folder to `output`; a folder that is there leaves when the new one stands.

    Killed in between, the old one is still whole, as `.NAME.old`.
    """
    old = output.with_name(f".{output.name}.old")
    if output.exists():
        shutil.rmtree(old, ignore_errors=True)
        output.rename(old)
    finished.rename(output)
    shutil.rmtree(old, ignore_errors=True)


def move_model(finished: Path, output: Path) -> None:
    """Move a finished model into a folder that holds more, such as that of its run.

    Its manifest leaves first and comes last: a folder with a manifest is complete.
    """
    (output / MANIFEST).unlink(missing_ok=True)
    for path in sorted(finished.iterdir(), key=lambda path: path.name == MANIFEST):
        os.replace(path, output / path.name)


def check_same_answers(models: Sequence[Path], *, free: Collection[str] = TUNED) -> None:
    """An error unless all models give answers of one kind, from the same token ids.

    In `free` settings of their task they may differ.
    """
    wanted = _answers(read_manifest(models[0]), free)
    vocabulary = (models[0] / "tokenizer.json").read_bytes()
    for model in models[1:]:
        found = _answers(read_manifest(model), free)
        if found != wanted:
            names = sorted(found.keys() | wanted.keys())
            differing = [name for name in names if found.get(name) != wanted.get(name)]
            raise BadInputError(f"{model} and {models[0]} differ in {', '.join(differing)}")
        if (model / "tokenizer.json").read_bytes() != vocabulary:
            raise BadInputError(f"{model} and {models[0]} differ in their tokenizers")


def settings_without(settings: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Settings of a task, and of its parts, but for those of these names."""
    return {
        name: settings_without(value, names) if isinstance(value, Mapping) else value
        for name, value in settings.items()
        if name not in names
    }


def _answers(manifest: ModelManifest, free: Collection[str]) -> dict[str, Any]:
    return {"task": manifest.task, **settings_without(manifest.task_settings, free)}
