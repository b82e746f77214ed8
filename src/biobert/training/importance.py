"""How much each weight of a trained model matters for what it has learnt.

The diagonal of the empirical Fisher information (Kirkpatrick et al. 2017, arXiv:1612.00796): the
mean over rows of the squared gradient of the log-likelihood of all that a row should answer. It is
kept in the model's folder, so that a later run can hold on to what matters without seeing the old
data again.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.core.task import IGNORED, HeadSpec, Task
from biobert.model.heads import head_loss
from biobert.model.hub import load_trained_network
from biobert.model.tensors import write_tensors
from biobert.tasks import build_task
from biobert.text.tokenizer import Tokenizer
from biobert.training.batches import collate, encode_rows, network_logits

IMPORTANCE = "importance.safetensors"


def write_importance(
    model: Path,
    documents: Sequence[Document],
    *,
    rows: int = 500,
    seed: int = 1,
    earlier: Path | None = None,
) -> Path:
    """Write `importance.safetensors` into a model folder, from some rows of its training data.

    Its tensors have the names and shapes of the network's parameters. What mattered to the model
    folder `earlier`, that this one was trained from, is added (Schwarz et al. 2018,
    arXiv:1805.06370).
    """
    manifest = read_manifest(model)
    task = build_task(manifest.task, manifest.task_settings)
    _check_task(task, model)
    tokenizer = Tokenizer.from_folder(model)
    network = load_trained_network(model, task.heads())
    everything = encode_rows(task, documents, tokenizer)
    if not everything:
        raise BadInputError("there is nothing to weigh by: the documents give no rows")
    generator = np.random.default_rng(seed)
    drawn = generator.permutation(len(everything))[:rows].tolist()
    squares = {
        name: torch.zeros_like(one) for name, one in network.named_parameters() if one.requires_grad
    }
    for number in drawn:
        batch = collate([everything[number]], task.heads(), pad_id=tokenizer.special("pad"))
        logits = network_logits(network, batch)
        losses = [
            _whole_loss(one, logits[one.name], batch.targets[one.name]) for one in task.heads()
        ]
        network.zero_grad()
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
        for name, parameter in network.named_parameters():
            if parameter.grad is not None:
                squares[name] += parameter.grad.square() / len(drawn)
    for name, before in _earlier(earlier).items():
        if name in squares and squares[name].shape == before.shape:
            squares[name] += before
    write_tensors(squares, model / IMPORTANCE)
    return model / IMPORTANCE


def _check_task(task: Task, model: Path) -> None:
    if any(head.kind == "vector" for head in task.heads()):
        raise BadInputError(
            f"{model}: its rows learn from each other ({task.name}), so none says alone what "
            "matters; there is no importance of such a model"
        )


def _whole_loss(spec: HeadSpec, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The sum over the gold values, not their mean: else a short row would count for many words."""
    return head_loss(spec, logits, targets) * (targets != IGNORED).sum()


def _earlier(model: Path | None) -> dict[str, torch.Tensor]:
    if model is None:
        return {}
    path = model / IMPORTANCE
    if not path.is_file():
        raise BadInputError(f"{path} is missing: weigh the earlier model first", code="not-found")
    tensors: dict[str, torch.Tensor] = load_file(path)
    return tensors
