"""A run begins where its recipe says: heads that answer alike are kept, settings reach all."""

from pathlib import Path
from typing import Any

import pytest
import torch

from biobert.core.errors import BadInputError
from biobert.model.hub import load_trained_network
from biobert.model.network import Network
from biobert.tasks import build_task
from biobert.training.folder import TrainingReport, write_model_folder
from biobert.training.recipe import read_recipe
from biobert.training.sources import Learner
from biobert.training.start import build_learner
from tests.model.test_hub import write
from tests.tiny import write_tiny_encoder_folder, write_tiny_model_folder

LABELS = ["Disease", "Chemical"]


def learner(encoder: Path, task: dict[str, Any], **tables: Any) -> Learner:
    model = {"encoder": str(encoder), **tables.pop("model", {})}
    recipe = {"name": "toy", "task": task, "model": model, "data": {"train": []}, **tables}
    return build_learner(read_recipe(recipe, place="toy.toml"), print)


def kept(folder: Path, labels: list[str], name: str = "ner") -> Network:
    return learner(folder, {"name": name, "labels": labels}, model={"heads": "kept"}).network


def test_heads_of_the_same_labels_are_kept(tmp_path: Path) -> None:
    folder = write_tiny_model_folder(tmp_path / "model", labels=LABELS)
    before = load_trained_network(folder, build_task("ner", {"labels": LABELS}).heads())
    after = kept(folder, LABELS)
    for name, tensor in before.heads.state_dict().items():
        assert torch.equal(tensor, after.heads.state_dict()[name])


@pytest.mark.parametrize("labels", [["Chemical", "Disease"], ["Gene", "Species"]])
def test_heads_of_other_labels_are_not_taken_for_these(labels: list[str], tmp_path: Path) -> None:
    folder = write_tiny_model_folder(tmp_path / "model", labels=LABELS)
    with pytest.raises(BadInputError, match=r"heads = 'kept'.*no head answers as.*labels in their"):
        kept(folder, labels)


def test_other_architectures_keep_heads_and_pooler_too(tmp_path: Path) -> None:
    task = {"name": "classification", "labels": ["yes", "no"]}
    begun = learner(write(tmp_path / "encoder", "electra"), task)
    report = TrainingReport({"name": "begun"}, {}, {})
    write_model_folder(tmp_path / "begun", begun, report)
    after = kept(tmp_path / "begun", ["yes", "no"], "classification")
    anew = learner(tmp_path / "begun", task).network
    for network in (after, anew):
        pooler = network.encoder.pooler.state_dict()
        for name, tensor in begun.network.encoder.pooler.state_dict().items():
            assert torch.equal(tensor, pooler[name])
    before = begun.network.heads.state_dict()
    assert all(torch.equal(one, before[name]) for name, one in after.heads.state_dict().items())


def test_what_is_said_of_the_encoder_holds_for_its_decoder(tmp_path: Path) -> None:
    encoder = write_tiny_encoder_folder(tmp_path / "bert", kind="BertForMaskedLM", dropout=0.1)
    task = {"name": "generation", "target": "conclusion"}
    model = {"encoder_dropout": 0.0, "attention_dropout": 0.2}
    network = learner(encoder, task, model=model, run={"memory": "recompute"}).network
    decoder = network.heads["text"].decoder
    rates = {
        name: one.p for name, one in decoder.named_modules() if isinstance(one, torch.nn.Dropout)
    }
    of_attention = {name for name in rates if name.endswith(".self.dropout")}
    assert len(of_attention) == 4
    assert {rates[name] for name in of_attention} == {0.2}
    assert {rate for name, rate in rates.items() if name not in of_attention} == {0.0}
    layer = next(one for one in decoder.modules() if hasattr(one, "gradient_checkpointing"))
    assert layer.gradient_checkpointing
