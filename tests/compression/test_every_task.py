"""Every task's network exports, and both engines answer its toy documents as PyTorch does."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from biobert.compression.export import TOLERANCE, ExportReport, export_onnx
from biobert.compression.export_text import export_decoder
from biobert.core.task import Task, Window
from biobert.model.adaptation import Adaptation, BaseEncoder, adapt, weights_checksum
from biobert.model.adapters import AdapterSettings
from biobert.model.decoder import encoder_decoder
from biobert.model.encoder import Encoder
from biobert.model.hub import load_encoder
from biobert.model.network import Network
from biobert.model.predictor import predictor_of
from biobert.runtime.load import load_exported
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks import SHELF, build_task
from tests.tasks.test_every_task import TOKENIZER, TOY_SETTINGS
from tests.tiny import write_tiny_encoder_folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder_folder(tmp_path_factory.mktemp("encoder") / "tiny")


MEAN = {"pooling": "mean"}


@pytest.fixture(params=[*((name, {}) for name in SHELF.names()), ("classification", MEAN)], ids=str)
def task(request: pytest.FixtureRequest) -> Task:
    name, more = request.param
    settings = {**TOY_SETTINGS[name], **more}
    if name == "cloze":
        # Words that the tiny tokenizer has whole.
        settings = {**settings, "verbalisers": {"yes": ["y"], "no": ["n"], "maybe": ["m", "p"]}}
    return build_task(name, settings).with_tokenizer(TOKENIZER)


@pytest.mark.parametrize("architecture", ["electra", "roberta", "modernbert", "deberta-v2"])
def test_every_architecture_exports(architecture: str, tmp_path: Path) -> None:
    from tests.model.test_hub import write

    task = build_task("ner", TOY_SETTINGS["ner"])
    network = network_of(task, write(tmp_path / "encoder", architecture))
    report = export_onnx(network, tmp_path / "out", task.inputs())
    assert report.difference <= TOLERANCE


def network_of(task: Task, encoder: Path) -> Network:
    torch.manual_seed(3)
    network = Network(load_encoder(encoder), task.heads())
    for parameter in network.heads.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


def exported(network: Network, task: Task, folder: Path, windows: Sequence[Window]) -> ExportReport:
    if not any(head.kind == "text" for head in task.heads()):
        return export_onnx(network, folder, task.inputs())
    assert isinstance(network.encoder, Encoder)
    model = encoder_decoder(network.encoder, network.heads["text"])  # type: ignore[arg-type]
    model.config.save_pretrained(folder)
    TOKENIZER.save(folder)
    return export_decoder(model, folder, windows)


def test_exported_answers_are_those_of_pytorch(task: Task, encoder: Path, tmp_path: Path) -> None:
    network = network_of(task, encoder)
    examples = [one for document in task.toy_documents() for one in task.examples(document)]
    windows = [one for some in task.encode(examples, TOKENIZER) for one in some]
    report = exported(network, task, tmp_path, windows)
    assert report.difference <= TOLERANCE
    expected = predictor_of(network, TOKENIZER, torch.device("cpu")).predict(windows)
    for engine in ("openvino", "onnxruntime"):
        settings = RuntimeSettings(engine=engine, precision="float32", threads=1)
        found = load_exported(report.path, task.heads(), settings).predict(windows)
        for wanted, output in zip(expected, found, strict=True):
            for head in task.heads():
                assert output[head.name].shape == wanted[head.name].shape
                np.testing.assert_allclose(output[head.name], wanted[head.name], atol=TOLERANCE)


@pytest.mark.parametrize("kind", ["lora", "ia3", "bottleneck", "prefix", "prompt"])
def test_every_adapter_exports(kind: str, encoder: Path, tmp_path: Path) -> None:
    task = build_task("ner", TOY_SETTINGS["ner"])
    network = network_of(task, encoder)
    base = BaseEncoder(str(encoder), weights_checksum(network.encoder))
    adapt(network, Adaptation(AdapterSettings(kind=kind), base))
    for parameter in network.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, mean=float(kind == "ia3"), std=0.3)
    report = export_onnx(network.eval(), tmp_path / "out", task.inputs())
    assert report.difference <= TOLERANCE
