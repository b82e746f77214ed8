"""Small runs of the real loop."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from biobert.core.task import Scores
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.tasks.ner import NamedEntityRecognition
from biobert.training.loop import StepReport
from biobert.training.material import RunPlaces
from biobert.training.recipe import read_recipe
from biobert.training.session import train
from tests.corpora import write_toy_corpus
from tests.tiny import write_tiny_encoder_folder


class Recorder:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.losses: list[float] = []
        self.rates: list[float] = []
        self.devel: list[float] = []

    def noted(self, message: str) -> None:
        self.notes.append(message)

    def stepped(self, report: StepReport) -> None:
        self.losses.append(report.loss)
        self.rates.append(report.learning_rate)

    def evaluated(self, step: int, scores: dict[str, Scores], main: float) -> None:
        self.devel.append(main)


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A recipe for two types on the toy documents, from a tiny encoder."""
    folder = tmp_path_factory.mktemp("run")
    encoder = write_tiny_encoder_folder(folder / "encoder")
    write_documents(NamedEntityRecognition.toy_documents() * 6, folder / "toy.jsonl", "jsonl")
    return {
        "name": "toy",
        "task": {"name": "ner", "labels": ["Chemical", "Disease"]},
        "model": {"encoder": str(encoder)},
        "data": {"train": [{"corpus": str(folder / "toy.jsonl")}]},
        "optimizer": {"learning_rate": 5e-3},
        "batches": {"tokens": 96},
        "run": {"epochs": 2, "checkpoint_every_steps": 3},
    }


def _changed(tables: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The tables with some of their lines changed; a task that is named is a whole one."""
    changed = {
        name: {**tables.get(name, {}), **values}
        if isinstance(values, dict) and "name" not in values
        else values
        for name, values in changes.items()
    }
    return {**tables, **changed}


@pytest.fixture
def run(tables: dict[str, Any], tmp_path: Path) -> Callable[..., Recorder]:
    """Train with some tables changed: `run("out", run={"epochs": 1})`."""

    def go(output: str, *, resume: bool = False, **changes: Any) -> Recorder:
        listener = Recorder()
        places = RunPlaces(tmp_path / output, CorpusPlaces(tmp_path / "cache"))
        recipe = read_recipe(_changed(tables, changes), place="toy.toml")
        train(recipe, places, listener=listener, resume=resume)
        return listener

    return go


class Stopping(Recorder):
    """Ends the run like Ctrl-C, after some steps."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    def stepped(self, report: Any) -> None:
        super().stepped(report)
        if report.step == self._step:
            raise KeyboardInterrupt


@pytest.fixture
def stopped(tables: dict[str, Any], tmp_path: Path) -> Callable[..., None]:
    """Begin a run and stop it: `stopped("out", step=4, adversarial={...})`."""

    def go(output: str, *, step: int, **changes: Any) -> None:
        places = RunPlaces(tmp_path / output, CorpusPlaces(tmp_path / "cache"))
        plan = read_recipe(_changed(tables, changes), place="toy.toml")
        with pytest.raises(KeyboardInterrupt):
            train(plan, places, listener=Stopping(step), resume=False)

    return go


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `BertForPreTraining` folder with random weights."""
    folder = tmp_path_factory.mktemp("pretraining") / "bert"
    return write_tiny_encoder_folder(folder, kind="BertForPreTraining", dropout=0.0)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_corpus(tmp_path_factory.mktemp("corpus") / "toy")
