"""Tiny networks and batches that methods are tried on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from biobert.core.task import Task
from biobert.model.hub import load_encoder
from biobert.model.network import Network
from biobert.tasks import build_task
from biobert.training.batches import Batch, collate, encode_rows, network_logits
from biobert.training.method import Methods, Turn
from biobert.training.methods import build_methods
from biobert.training.recipe import Recipe, read_recipe
from tests.tiny import tiny_tokenizer, write_tiny_encoder_folder

ANSWERS = {"name": "classification", "labels": ["yes", "no", "maybe"]}
MENTIONS = {"name": "ner", "labels": ["Chemical", "Disease"]}


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder_folder(tmp_path_factory.mktemp("methods") / "encoder", layers=3)


@pytest.fixture
def recipe(encoder: Path) -> Callable[..., Recipe]:
    """A recipe with some tables: `recipe(task, adversarial={"kind": "pgd"})`."""

    def make(task: dict[str, Any] = MENTIONS, **tables: Any) -> Recipe:
        model = {"encoder": str(encoder), **tables.pop("model", {})}
        base = {"name": "toy", "task": task, "model": model, "data": {"train": []}}
        return read_recipe({**base, **tables}, place="toy.toml")

    return make


class Bench:
    """A network, a batch of its task's toy documents, and the methods of a recipe."""

    def __init__(self, recipe: Recipe) -> None:
        settings = {key: value for key, value in recipe.task.items() if key != "name"}
        self.task: Task = build_task(recipe.task["name"], settings)
        torch.manual_seed(3)
        assert recipe.model.encoder is not None
        self.network = Network(load_encoder(Path(recipe.model.encoder)), self.task.heads())
        self.methods: Methods = build_methods(recipe, steps=10)
        rows = encode_rows(self.task, self.task.toy_documents(), tiny_tokenizer())
        self.batch: Batch = collate(rows, self.task.heads(), pad_id=0)
        self.heads = {head.name: head for head in self.task.heads()}

    def prepared(self) -> "Bench":
        self.methods.prepare(self.network)
        return self

    def loss(self) -> torch.Tensor:
        """As the loop computes it."""
        answers = [network_logits(self.network, self.batch) for _ in range(self.methods.passes)]
        return self.methods.loss(answers, self.batch, self.heads)

    def turn(self) -> Turn:
        from contextlib import nullcontext

        def backward(loss: torch.Tensor, **inputs: Any) -> None:
            loss.backward(**inputs)

        return Turn(self.batch, self.loss, backward, nullcontext)


@pytest.fixture
def bench(recipe: Callable[..., Recipe]) -> Callable[..., Bench]:
    def make(task: dict[str, Any] = MENTIONS, **tables: Any) -> Bench:
        return Bench(recipe(task, **tables)).prepared()

    return make
