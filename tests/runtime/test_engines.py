"""Exported models answer as PyTorch does, on either engine, whatever the batches."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.settings import from_mapping
from biobert.model.predictor import TorchPredictor
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.load import load_model
from biobert.runtime import openvino
from biobert.runtime.settings import RuntimeSettings, cores_of_container
from tests.eight_bits import export_in_eight_bits

TEXTS = [
    "Lithium caused cardiac arrest. Aspirin did not.",
    "Breast cancer and diabetes.",
    "a",
    "The " + "lithium and cancer " * 40 + "end.",
]
FLOAT32 = RuntimeSettings(precision="float32")


def logits(folder: Path, settings: RuntimeSettings) -> list[np.ndarray]:
    model = load_model(folder, settings)
    examples = [one for text in TEXTS for one in model.task.examples(Document("1", text))]
    windows = [one for some in model.task.encode(examples, model.tokenizer) for one in some]
    assert len({len(window) for window in windows}) > 2
    return [output["tags"] for output in model.predictor.predict(windows)]


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("token_budget", [1, 64, 4096])
def test_logits_are_those_of_pytorch(
    tiny_model: Path, exported_model: Path, engine: str, token_budget: int
) -> None:
    expected = logits(tiny_model, replace(FLOAT32, engine="torch"))
    settings = replace(FLOAT32, engine=engine, token_budget=token_budget)
    found = logits(exported_model, settings)
    for one, other in zip(expected, found, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(other, one, atol=1e-4)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_entities_are_those_of_pytorch(tiny_model: Path, exported_model: Path, engine: str) -> None:
    def entities(folder: Path, settings: RuntimeSettings) -> list[list[tuple[int, int, str]]]:
        annotated = Annotator(folder, settings=settings).annotate_many(TEXTS)
        return [[(one.start, one.end, one.label) for one in doc.entities] for doc in annotated]

    expected = entities(tiny_model, replace(FLOAT32, engine="torch"))
    assert sum(map(len, expected)) > 20
    assert entities(exported_model, replace(FLOAT32, engine=engine)) == expected


def test_one_annotator_serves_several_callers_at_once(exported_model: Path) -> None:
    annotator = Annotator(exported_model, settings=replace(FLOAT32, streams=2))
    texts = [f"{word} {TEXTS[1]}" * (number % 5 + 1) for number, word in enumerate(TEXTS[0] * 2)]
    alone = [annotator.annotate(text).entities for text in texts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: annotator.annotate(text).entities, texts))
    assert together == alone


def test_an_engine_without_an_exported_model_says_how_to_make_one(tiny_model: Path) -> None:
    with pytest.raises(BadInputError, match=r"biobert export"):
        load_model(tiny_model, RuntimeSettings(engine="openvino"))


def test_float32_by_name_rounds_no_activations(tiny_model: Path, tmp_path: Path) -> None:
    """ONNX Runtime, too, rounds those that meet eight-bit weights, if it is left to itself."""
    small = export_in_eight_bits(tiny_model, tmp_path / "small")
    expected, found, rounded = (
        logits(small, settings)
        for settings in (
            FLOAT32,
            replace(FLOAT32, engine="onnxruntime"),
            RuntimeSettings(engine="onnxruntime"),
        )
    )
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-4)
    pairs = zip(expected, rounded, strict=True)
    assert max(np.abs(one - other).max() for one, other in pairs) > 1e-3


def test_bf16_on_onnx_runtime_is_refused(exported_model: Path) -> None:
    with pytest.raises(BadInputError, match="use engine 'openvino'"):
        load_model(exported_model, RuntimeSettings(engine="onnxruntime", precision="bf16"))


@pytest.mark.parametrize(("precision", "group"), [("auto", "128"), ("float32", "0")])
def test_a_processor_without_bf16_rounds_activations_unless_it_must_not(
    precision: str, group: str, exported_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino, "_precision", lambda core, wanted: "f32")
    model = load_model(exported_model, RuntimeSettings(precision=precision))  # type: ignore[arg-type]
    predictor = model.predictor
    assert isinstance(predictor, openvino.OpenVinoPredictor)
    found = predictor._compiled.get_property("DYNAMIC_QUANTIZATION_GROUP_SIZE")
    assert str(found) == group


def test_threads_are_tied_to_no_core_since_other_processes_would_be_to_the_same(
    exported_model: Path,
) -> None:
    predictor = load_model(exported_model, RuntimeSettings(threads=1)).predictor
    assert isinstance(predictor, openvino.OpenVinoPredictor)
    assert predictor._compiled.get_property("ENABLE_CPU_PINNING") is False


def test_torch_takes_the_threads_and_the_batches_it_is_told(tiny_model: Path) -> None:
    before = torch.get_num_threads()
    try:
        for threads in (2, 1):
            settings = RuntimeSettings(engine="torch", threads=threads, token_budget=64)
            predictor = load_model(tiny_model, settings).predictor
            assert torch.get_num_threads() == threads
            assert isinstance(predictor, TorchPredictor)
            assert predictor.token_budget == 64
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_a_container_has_its_share_of_the_cores(
    files: dict[str, str], cores: int | None, tmp_path: Path
) -> None:
    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert cores_of_container(tmp_path) == cores


def test_an_unknown_device_is_named(tiny_model: Path) -> None:
    with pytest.raises(BadInputError, match="no such device: 'abacus'"):
        load_model(tiny_model, RuntimeSettings(engine="torch", device="abacus"))


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime", "torch"])
@pytest.mark.parametrize("name", ["threads", "streams", "token_budget"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_machine_of_no_threads_is_refused(engine: str, name: str, value: int) -> None:
    tables = {"engine": engine, name: value}
    with pytest.raises(BadInputError, match=f"{name} = {value}: at least 1"):
        from_mapping(RuntimeSettings, tables, place="service.toml")
