"""An encoder as it is, trained for nothing here, as a light folder for one use of it."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from biobert.compression.card import BARE, write_card
from biobert.compression.export import ExportReport, export_onnx
from biobert.compression.folder import TOKENIZER, copy_files, placed_report
from biobert.core.errors import BadInputError
from biobert.core.model_folder import (
    CONFIG,
    MANIFEST,
    ModelManifest,
    check_replaceable,
    put_in_place,
    read_manifest,
    unfinished_folder,
)
from biobert.core.task import Task
from biobert.model.hub import load_encoder
from biobert.model.network import Network
from biobert.model.weights import fill_language_model, read_config
from biobert.tasks.embedding import Embedding, EmbeddingSettings
from biobert.tasks.pretraining import Pretraining
from biobert.text.tokenizer import Tokenizer
from biobert.text.windows import WindowSettings

Use = Literal["embed", "fill-mask"]
Pooling = Literal["mean", "first"]
USES: dict[str, Use] = {Embedding.name: "embed", Pretraining.name: "fill-mask"}
"""The use that a task is trained for."""
LANGUAGE_MODELS = ("ForMaskedLM", "ForPreTraining")
"""How transformers' classes end that fill gaps."""
COMMANDS: dict[Use, str] = {
    "embed": "biobert embed texts.txt --model PATH_TO_THIS_FOLDER --output vectors.npy",
    "fill-mask": 'biobert fill-mask "Aspirin [MASK] fever." --model PATH_TO_THIS_FOLDER',
}


def bare_use(model: Path, wanted: Use | None) -> Use | None:
    """What the encoder of a folder is exported for; None where that is what the folder was trained
    for, and all of it is exported.

    Without a wish it is, of an encoder from elsewhere, what the class that its `config.json` names
    does.
    """
    if (model / MANIFEST).is_file():
        own = USES.get(read_manifest(model).task)
        return None if wanted in (None, own) else wanted
    if not (model / CONFIG).is_file():
        raise BadInputError(
            f"{model}: neither {MANIFEST} nor {CONFIG}; is it a model folder?",
            code="not-found",
        )
    named = read_config(model).get("architectures")
    fills = any(str(one).endswith(LANGUAGE_MODELS) for one in named or ())  # type: ignore[attr-defined]
    return wanted or ("fill-mask" if fills else "embed")


def export_encoder(
    encoder: Path, output: Path, *, use: Use, name: str, pooling: Pooling = "mean"
) -> ExportReport:
    """Write `output`, complete or not at all: what `biobert embed` or `biobert fill-mask` would do
    with the encoder, in float32. Its manifest is called `name`."""
    check_replaceable(output, encoder)
    loaded = load_encoder(encoder)
    task = _task(use, pooling, longest=loaded.maximum_positions)
    network = Network(loaded, task.heads()).eval()
    if use == "fill-mask":
        fill_language_model(network, encoder)
    with unfinished_folder(output) as folder:
        report = export_onnx(network, folder, task.inputs())
        copy_files(encoder, folder, (*TOKENIZER, CONFIG))
        if not (folder / TOKENIZER[0]).is_file():
            Tokenizer.from_folder(encoder).save(folder)
        _manifest(encoder, task, name).write(folder)
        write_card(folder, encoder, BARE.format(use=use, command=COMMANDS[use]))
        put_in_place(folder, output)
    return placed_report(report, output)


def _task(use: Use, pooling: Pooling, *, longest: int) -> Task:
    """The task that answers as the verb does with weights; its windows fit the encoder."""
    if use == "fill-mask":
        return Pretraining.from_settings({"pairs": "none"})
    windows = WindowSettings()
    if longest < windows.maximum_tokens:
        windows = WindowSettings(longest, longest // 8)
    return Embedding(EmbeddingSettings(learn="dropout", pooling=pooling, windows=windows))


def _manifest(encoder: Path, task: Task, name: str) -> ModelManifest:
    """Of a model of ours it keeps what that has learnt from; its figures are of another task."""
    if not (encoder / MANIFEST).is_file():
        return ModelManifest(name, task.name, task.settings())
    own = read_manifest(encoder)
    return replace(own, task=task.name, task_settings=task.settings(), metrics={}, compression={})
