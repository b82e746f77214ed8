"""An adapter's folder as a whole model folder."""

import shutil
from pathlib import Path

from biobert.core.errors import BadInputError
from biobert.core.model_folder import (
    CARD,
    MANIFEST,
    ModelManifest,
    check_free,
    placed_folder,
    read_manifest,
)
from biobert.model.adaptation import DESCRIPTION, merged, read_adaptation
from biobert.model.hub import load_trained_network
from biobert.model.weights import save_network
from biobert.tasks import build_task

COPIED = ("tokenizer.json", "tokenizer_config.json", CARD, MANIFEST)


def merge_folder(adapter: Path, output: Path) -> ModelManifest:
    """Write `output`, complete or not at all; it answers as the adapter does, to within rounding.

    Raises BadInputError for a folder without an adapter, or one of a kind that cannot be merged.
    """
    check_free(output)
    manifest = read_manifest(adapter)
    if read_adaptation(adapter) is None:
        raise BadInputError(f"{adapter} holds a whole model, no adapter: it has no {DESCRIPTION}")
    task = build_task(manifest.task, manifest.task_settings)
    network = merged(load_trained_network(adapter, task.heads()))
    with placed_folder(output) as folder:
        save_network(network, folder)
        for name in COPIED:
            shutil.copyfile(adapter / name, folder / name)
    return manifest
