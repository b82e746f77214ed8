"""What the steps of a compression share: the original, the corpora, and opening and closing a
model folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.model_folder import MANIFEST, read_manifest
from biobert.core.task import Task
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.model.encoder import Encoder
from biobert.model.hub import load_trained_network
from biobert.model.weights import save_network
from biobert.tasks import build_task
from biobert.text.tokenizer import Tokenizer
from biobert.training.batches import Row, encode_rows
from biobert.training.corpora import note_set_aside, read_sources
from biobert.training.loop import Listener
from biobert.training.recipe import DataSource
from biobert.training.sources import Learner


@dataclass(frozen=True, slots=True)
class Workbench:
    """The original model's folder, what steps look at or learn from, and who hears of it."""

    original: Path
    corpora: tuple[DataSource, ...]
    places: CorpusPlaces
    listener: Listener
    seed: int

    def documents(self) -> list[Document]:
        """All documents of the recipe's corpora."""
        if not self.corpora:
            raise BadInputError("this step looks at text: name [[corpora]] in the recipe")
        rejects = Rejects()
        found = read_sources(self.corpora, self.places, rejects=rejects)
        note_set_aside(rejects, self.listener.noted)
        return [document for some in found.values() for document in some]

    def rows(self, task: Task, tokenizer: Tokenizer, count: int) -> list[Row]:
        """At most `count` rows of the corpora, drawn by the recipe's seed."""
        everything = encode_rows(task, self.documents(), tokenizer)
        if not everything:
            raise BadInputError("[[corpora]] give nothing that this model's task learns from")
        order = np.random.default_rng(self.seed).permutation(len(everything))
        return [everything[number] for number in order[:count].tolist()]


def check_changeable(folder: Path) -> Task:
    """The task of a model folder whose weights a step can change; an error for any other."""
    manifest = read_manifest(folder)
    if manifest.members:
        raise BadInputError(f"{folder} is an ensemble: compress one of its members")
    if not has_weights(folder):
        raise BadInputError(f"{folder} has no weights: all that can be done with it is to export")
    task = build_task(manifest.task, manifest.task_settings)
    if any(head.kind == "text" for head in task.heads()):
        raise BadInputError(
            f"{folder} writes texts, and holds its encoder twice: all that can be done with it is "
            "to export"
        )
    return task


def open_learner(folder: Path) -> Learner:
    """The task, tokenizer and network of a model folder that has weights."""
    task = check_changeable(folder)
    network = load_trained_network(folder, task.heads())
    return Learner(task, Tokenizer.from_folder(folder), network)


def own_encoder(learner: Learner, step: str) -> Encoder:
    """Our encoder of a whole model; what a step cannot change is an error."""
    network = learner.network
    if network.adaptation is not None:
        raise BadInputError(f"{step}: this model is an adapter: `biobert merge` it first")
    if not isinstance(network.encoder, Encoder):
        raise BadInputError(f"{step} needs a BERT encoder (model_type 'bert')")
    return network.encoder


def write_learner(learner: Learner, source: Path, target: Path) -> None:
    """Write what has become of the model of `source` as a whole model folder."""
    save_network(learner.network, target)
    learner.tokenizer.save(target)
    shutil.copyfile(source / MANIFEST, target / MANIFEST)


def has_weights(folder: Path) -> bool:
    """Whether a model folder has weights that torch loads."""
    return any(folder.glob("*.safetensors"))
