"""What the models behind a run have learnt from, for the manifest of what it leaves."""

from typing import Any

from biobert.core.model_folder import MANIFEST, read_manifest
from biobert.model.checkpoint import find_encoder_folder
from biobert.training.recipe import Recipe


def learnt_before(recipe: Recipe) -> tuple[dict[str, Any], ...]:
    """The origins of the model that the run begins from and of its teacher; of a checkpoint that is
    no model folder of ours nothing is known.

    They are read while the run knows the folders: a relative path means nothing elsewhere.
    """
    names = [recipe.model.encoder]
    names += [recipe.distillation.teacher] if recipe.distillation else []
    folders = [find_encoder_folder(name) for name in names if name is not None]
    known = [folder for folder in folders if (folder / MANIFEST).is_file()]
    return tuple(read_manifest(folder).origin() for folder in known)
