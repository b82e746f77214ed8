"""Classifiers from training to every engine: one folder, the same logits everywhere."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from biobert.compression.folder import export_folder
from biobert.core.batching import window_arrays
from biobert.core.document import Document
from biobert.core.model_folder import read_manifest
from biobert.core.task import Window
from biobert.data.reading import write_documents
from biobert.pipeline.load import load_model
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks import build_task
from biobert.tasks.classification import HEAD, Classification
from tests.training.conftest import Recorder

FLOAT32 = RuntimeSettings(precision="float32")
PAIRS = {
    "name": "classification",
    "labels": ["yes", "no", "maybe"],
    "passages": ["question", "context"],
}
TOPICS = {"name": "classification", "labels": ["heart", "cancer"], "choice": "many"}
TEXTS = {
    "lithium caused cardiac arrest": ("heart",),
    "breast cancer and the cardiac arrest": ("heart", "cancer"),
    "the breast cancer": ("cancer",),
    "aspirin and diabetes": (),
}


def topics() -> list[Document]:
    return [
        Document(str(number), text, labels=labels)
        for number, (text, labels) in enumerate(TEXTS.items())
    ]


@pytest.fixture
def trained(run: Callable[..., Recorder], tmp_path: Path) -> Callable[..., Path]:
    """Train a task on some documents until it knows them."""

    def go(settings: dict[str, Any], documents: list[Document], epochs: int = 25) -> Path:
        corpus = tmp_path / "corpus.jsonl"
        write_documents(documents * 4, corpus, "jsonl")
        own = {"train": [{"corpus": str(corpus)}], "devel": [{"corpus": str(corpus)}]}
        run("model", task=settings, data=own, run={"epochs": epochs})
        return tmp_path / "model"

    return go


def windows_of(folder: Path, documents: list[Document]) -> list[Window]:
    model = load_model(folder, replace(FLOAT32, engine="torch"))
    examples = [one for document in documents for one in model.task.examples(document)]
    return [one for some in model.task.encode(examples, model.tokenizer) for one in some]


def logits(folder: Path, settings: RuntimeSettings, windows: list[Window]) -> np.ndarray:
    outputs = load_model(folder, settings).predictor.predict(windows)
    return np.stack([output[HEAD] for output in outputs])


def logits_of_transformers(folder: Path, windows: list[Window]) -> np.ndarray:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    arrays = {name: torch.from_numpy(one) for name, one in window_arrays(windows).items()}
    with torch.no_grad():
        found = model(
            arrays["token_ids"],
            attention_mask=arrays["mask"].long(),
            token_type_ids=arrays["segment_ids"],
        )
    return found.logits.numpy()


def answers(folder: Path, documents: list[Document]) -> list[tuple[str, ...]]:
    from biobert.pipeline.annotator import Annotator

    annotator = Annotator(folder, settings=replace(FLOAT32, engine="torch"))
    return [one.labels for one in annotator.annotate_many(documents)]


def test_a_classifier_of_pairs_learns_and_gives_the_same_logits_everywhere(
    trained: Callable[..., Path], tmp_path: Path
) -> None:
    documents = Classification.toy_documents()
    folder = trained(PAIRS, documents)
    assert answers(folder, documents) == [one.labels for one in documents]
    windows = windows_of(folder, documents)
    assert any(window.segment_ids.any() for window in windows)
    expected = logits(folder, replace(FLOAT32, engine="torch"), windows)
    np.testing.assert_allclose(logits_of_transformers(folder, windows), expected, atol=1e-4)
    export_folder(folder, tmp_path / "exported")
    for engine in ("openvino", "onnxruntime"):
        found = logits(tmp_path / "exported", replace(FLOAT32, engine=engine), windows)
        np.testing.assert_allclose(found, expected, atol=1e-4)
    # The segments are an input of the exported model: without them it answers otherwise.
    blind = [replace(window, segment_ids=np.zeros_like(window.segment_ids)) for window in windows]
    other = logits(tmp_path / "exported", replace(FLOAT32, engine="onnxruntime"), blind)
    assert np.abs(other - expected).max() > 1e-3


def test_a_classifier_of_several_labels_keeps_its_thresholds(
    trained: Callable[..., Path], tmp_path: Path
) -> None:
    documents = topics()
    folder = trained(TOPICS, documents)
    assert answers(folder, documents) == [one.labels for one in documents]
    manifest = read_manifest(folder)
    thresholds = manifest.task_settings["thresholds"]
    assert set(thresholds) == {"heart", "cancer"}
    assert all(0 < one < 1 and one != 0.5 for one in thresholds.values())
    assert build_task(manifest.task, manifest.task_settings).settings()["thresholds"] == thresholds
    windows = windows_of(folder, documents)
    expected = logits(folder, replace(FLOAT32, engine="torch"), windows)
    np.testing.assert_allclose(logits_of_transformers(folder, windows), expected, atol=1e-4)
    config = transformers.AutoConfig.from_pretrained(folder)
    assert config.problem_type == "multi_label_classification"
    assert config.id2label == {0: "heart", 1: "cancer"}
    export_folder(folder, tmp_path / "exported")
    found = logits(tmp_path / "exported", replace(FLOAT32, engine="openvino"), windows)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.slow
def test_a_mean_of_all_tokens_is_learnt_from_and_claims_no_pooler(
    trained: Callable[..., Path],
) -> None:
    documents = topics()
    folder = trained({**TOPICS, "pooling": "mean"}, documents)
    assert answers(folder, documents) == [one.labels for one in documents]
    assert transformers.AutoConfig.from_pretrained(folder).architectures == ["BertModel"]


def test_a_trained_folder_annotates_files_and_sets_aside_what_it_cannot_read(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    from tests.cli.calling import call

    documents = Classification.toy_documents()
    write_documents(documents * 4, tmp_path / "toy.jsonl", "jsonl")
    task = {"name": "classification", "labels": ["yes", "no", "maybe"]}
    task |= {"passages": ["question", "context"]}  # type: ignore[dict-item]
    run("model", task=task, data={"train": [{"corpus": str(tmp_path / "toy.jsonl")}]})
    mixed = [documents[0], Document("bare", "No passages here."), documents[1]]
    write_documents(mixed, tmp_path / "new.jsonl", "jsonl")
    rejects = tmp_path / "rejects.jsonl"
    found = call(
        "annotate", tmp_path / "new.jsonl", "--model", tmp_path / "model", "--rejects", rejects,
        "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    data = found.json["data"]
    assert (data["documents"], data["set_aside"]) == (2, 1)
    assert sum(data["labels"].values()) == 2
    assert "needs a passage 'question'" in rejects.read_text()
    shown = call("annotate", tmp_path / "new.jsonl", "--model", tmp_path / "model")
    assert "labels: " in shown.out
    assert "%)" in shown.out
