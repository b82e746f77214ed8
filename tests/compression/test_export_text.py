"""What writes texts is exported as two graphs, which write what PyTorch writes."""

import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from biobert.compression.export import TOLERANCE, check_difference
from biobert.compression.export_text import check_decoder
from biobert.compression.folder import export_folder
from biobert.core.document import Document
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.model_folder import ModelManifest, exported_graphs, read_manifest
from biobert.core.settings import to_mapping
from biobert.core.task import Window, WritingSettings
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.model.generation import load_encoder_decoder
from biobert.pipeline.compressing import CompressionReport, compress
from biobert.pipeline.load import load_model
from biobert.pipeline.speed.measures import engine_of
from biobert.pipeline.writer import Writer
from biobert.runtime.decoder import ROOM
from biobert.runtime.settings import Engine, RuntimeSettings
from biobert.tasks import build_task
from biobert.tasks.generation import GENERATED
from tests.tiny import sharp_encoder_decoder, tiny_tokenizer
from tests.training.conftest import Recorder

FLOAT32 = RuntimeSettings(precision="float32", threads=1)
ENGINES: tuple[Engine, ...] = ("openvino", "onnxruntime")
SOURCES = [
    "Lithium caused cardiac arrest.",
    "the",
    "Aspirin, the breast and 17% of 34 (a/b) cancer; diabetes?",
    "cancer " * 60,
    "",
    "Diabetes and the arrest of aspirin.",
]
RULES = [
    WritingSettings(beams=1, maximum_pieces=30),
    WritingSettings(beams=1, maximum_pieces=20, no_repeat=0, repetition_penalty=1.5),
    WritingSettings(beams=4, maximum_pieces=20),
    WritingSettings(beams=3, maximum_pieces=20, minimum_pieces=6, length_penalty=2.0),
    WritingSettings(beams=2, maximum_pieces=2 * ROOM + 6, minimum_pieces=2 * ROOM + 2),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("writer") / "model"
    sharp_encoder_decoder(seed=3).save_pretrained(folder)
    tiny_tokenizer().save(folder)
    windows = {"maximum_tokens": 64, "overlap_tokens": 0}
    task = build_task("generation", {"windows": windows, "writing": to_mapping(RULES[2])})
    ModelManifest("writer", task.name, task.settings()).write(folder)
    return folder


@pytest.fixture(scope="module")
def exported(model: Path) -> Path:
    report = export_folder(model, model.with_name("exported"))
    assert 0.0 < report.difference <= TOLERANCE
    return report.path.parent


def written(folder: Path, rules: WritingSettings, settings: RuntimeSettings) -> list[str]:
    documents = [Document(str(number), text) for number, text in enumerate(SOURCES)]
    writer = Writer(folder, writing=rules, settings=settings)
    return [one.metadata[GENERATED] for one in writer.write_many(documents)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rules", RULES, ids=str)
def test_texts_are_those_of_pytorch(
    model: Path, exported: Path, rules: WritingSettings, engine: Engine
) -> None:
    expected = written(model, rules, replace(FLOAT32, engine="torch"))
    assert len(set(expected)) > 3
    assert written(exported, rules, replace(FLOAT32, engine=engine)) == expected


@pytest.mark.parametrize("token_budget", [1, 200])
def test_texts_do_not_depend_on_the_batch(model: Path, exported: Path, token_budget: int) -> None:
    expected = written(model, RULES[3], replace(FLOAT32, engine="torch"))
    settings = replace(FLOAT32, token_budget=token_budget)
    assert written(exported, RULES[3], settings) == expected


def test_the_folder_is_light_and_needs_no_torch(
    model: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {path.name for path in exported.iterdir()}
    assert {"model.onnx", "decoder.onnx", "tokenizer.json", "config.json"} <= names
    assert not any(name.endswith(".safetensors") for name in names)
    assert read_manifest(exported) == read_manifest(model)
    expected = written(model, RULES[2], replace(FLOAT32, engine="torch"))
    monkeypatch.setitem(sys.modules, "torch", None)
    assert written(exported, RULES[2], FLOAT32) == expected


def test_what_runs_it_is_named(model: Path, exported: Path) -> None:
    names = [
        engine_of(load_model(folder, replace(FLOAT32, engine=engine)))
        for folder, engine in ((exported, "auto"), (exported, "onnxruntime"), (model, "torch"))
    ]
    assert names == ["OpenVINO float32", "OnnxRuntime float32", "Torch float32"]


def test_half_precision_writes_too(model: Path) -> None:
    settings = RuntimeSettings(engine="torch", precision="bf16")
    assert len(set(written(model, RULES[2], settings))) > 3


def test_a_graph_of_another_model_is_noticed(exported: Path, model: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "mixed")
    other = sharp_encoder_decoder(seed=2)
    windows = windows_of(model)
    assert check_decoder(load_encoder_decoder(model), exported, windows) <= TOLERANCE
    with pytest.raises(BiobertError, match="differ from PyTorch's"):
        check_decoder(other, exported, windows)
    with pytest.raises(BiobertError, match="by nan"):
        check_difference([1e-6, math.nan, 1e-6], exported)


def windows_of(model: Path) -> list[Window]:
    manifest = read_manifest(model)
    task = build_task(manifest.task, manifest.task_settings)
    examples = [one for document in task.toy_documents() for one in task.examples(document)]
    return [one for some in task.encode(examples, tiny_tokenizer()) for one in some]


def test_half_a_model_is_no_model(exported: Path, tmp_path: Path) -> None:
    for name in ("decoder.onnx", "config.json"):
        shutil.copytree(exported, tmp_path / name)
        (tmp_path / name / name).unlink()
        with pytest.raises(BadInputError, match=name) as found:
            load_model(tmp_path / name, FLOAT32)
        assert found.value.code == "not-found"


def test_a_text_too_long_for_the_decoder_is_refused(exported: Path) -> None:
    with pytest.raises(BadInputError, match="up to 127"):
        Writer(exported, writing=WritingSettings(maximum_pieces=128), settings=FLOAT32)


def test_two_models_that_do_not_fit_each_other_are_refused(model: Path, tmp_path: Path) -> None:
    import transformers

    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(
        transformers.RobertaConfig(vocab_size=130, hidden_size=16, num_attention_heads=2),
        load_encoder_decoder(model).config.decoder,
    )
    shutil.copytree(model, tmp_path / "odd")
    transformers.EncoderDecoderModel(config).save_pretrained(tmp_path / "odd")
    with pytest.raises(BadInputError, match="roberta of 16 and bert of 32"):
        load_model(tmp_path / "odd", FLOAT32)


def compressed(model: Path, folder: Path, **step: object) -> CompressionReport:
    from biobert.compression.recipe import read_compression_recipe

    texts = written(model, RULES[2], FLOAT32)
    gold = [
        Document(str(number), source, metadata={"long_answer": text})
        for number, (source, text) in enumerate(zip(SOURCES, texts, strict=True))
        if source
    ]
    for name in ("gate", "train"):
        write_documents(gold, folder / f"{name}.jsonl")
    tables = {
        "name": "toy",
        "steps": [{"kind": "export", **step}],
        "corpora": [{"corpus": str(folder / "train.jsonl")}],
        "gate": [{"corpus": str(folder / "gate.jsonl")}],
    }
    recipe = read_compression_recipe(tables, place="toy")
    places = CorpusPlaces(cache=folder / "cache")
    return compress(str(model), recipe, places, folder / "out", listener=Recorder(), max_loss=100.0)


@pytest.mark.parametrize("weights", ["int8", "float16"])
def test_smaller_weights_pass_the_same_gate(model: Path, tmp_path: Path, weights: str) -> None:
    report = compressed(model, tmp_path, weights=weights)
    assert report.exported is not None
    assert report.compressed.bytes < 0.75 * report.exported.bytes
    (score,) = report.original.scores.values()
    assert score > 0.3
    assert report.exported.scores == report.original.scores
    assert len(exported_graphs(tmp_path / "out")) == 2
    assert len(set(written(tmp_path / "out", RULES[2], FLOAT32))) > 3


def test_both_graphs_can_be_openvinos_own(model: Path, tmp_path: Path) -> None:
    compressed(model, tmp_path, format="openvino")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"model.xml", "model.bin", "decoder.xml", "decoder.bin"} <= names
    assert not exported_graphs(tmp_path / "out")
    expected = written(model, RULES[2], replace(FLOAT32, engine="torch"))
    assert written(tmp_path / "out", RULES[2], FLOAT32) == expected


def test_weights_can_be_made_smaller_later(exported: Path, tmp_path: Path) -> None:
    report = compressed(exported, tmp_path, weights="int8")
    assert report.exported is None
    assert report.compressed.bytes < 0.75 * report.original.bytes


def test_a_decoder_is_not_calibrated(model: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"depends on what it has written.*take 'int8'"):
        compressed(model, tmp_path, weights="int8-static")
    assert not (tmp_path / "out").exists()


def test_what_writes_is_not_pruned(model: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="all that can be done with it is to export"):
        compressed(model, tmp_path, kind="layers", layers=1)
