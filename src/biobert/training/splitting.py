"""A model of several tasks as a model folder for each of them."""

from pathlib import Path

from biobert.core.errors import BadInputError
from biobert.core.model_folder import ModelManifest, check_free, placed_folder, read_manifest
from biobert.core.task import Task
from biobert.model.hub import load_trained_network
from biobert.model.network import Network
from biobert.tasks import build_task
from biobert.tasks.multitask import Multitask, head_name
from biobert.text.tokenizer import Tokenizer
from biobert.training.folder import TrainingReport, write_model_folder
from biobert.training.sources import Learner


def split_folder(model: Path, output: Path) -> dict[str, ModelManifest]:
    """Write `output/PART` for each part of the model, with the encoder that they share.

    All are written, or none. Raises BadInputError for a model of a single task, and where `output`
    exists.
    """
    check_free(output)
    manifest = read_manifest(model)
    task = build_task(manifest.task, manifest.task_settings)
    if not isinstance(task, Multitask):
        raise BadInputError(f"{model} is a model for {task.name!r} alone: there are no parts")
    network = load_trained_network(model, task.heads())
    tokenizer = Tokenizer.from_folder(model)
    written: dict[str, ModelManifest] = {}
    with placed_folder(output) as folder:
        for part, own in task.parts.items():
            alone = _alone(network, own, part)
            recipe = {**manifest.recipe, "name": f"{manifest.name}-{part}"}
            report = TrainingReport(
                recipe=recipe, data=manifest.data, metrics={}, learnt_before=manifest.learnt_before
            )
            learner = Learner(own, tokenizer, alone)
            written[part] = write_model_folder(folder / part, learner, report)
    return written


def _alone(network: Network, task: Task, part: str) -> Network:
    """The heads of a part on the encoder that all share, with its adapter if it has one."""
    # The part before may have read no pooler, and put it to rest.
    network.encoder.pooler.requires_grad_(True)
    alone = Network(network.encoder, task.heads())
    alone.adaptation = network.adaptation
    for head in task.heads():
        alone.heads[head.name] = network.heads[head_name(part, head.name)]
    return alone
