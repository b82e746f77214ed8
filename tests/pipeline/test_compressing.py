"""The gate: a smaller model is written with its figures, or not at all."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

from biobert.compression.recipe import read_compression_recipe
from biobert.compression.steps.sparse import largest
from biobert.core.document import Argument, Document, Entity, Relation
from biobert.core.errors import BadInputError
from biobert.core.model_folder import ModelManifest, read_manifest
from biobert.data.places import CorpusPlaces
from biobert.data.reading import write_documents
from biobert.model.weights import read_config, read_tensors
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.compressing import CompressionReport, GateError, compress
from biobert.pipeline.learnt_from import learnt_from
from biobert.pipeline.load import load_model
from biobert.runtime.settings import RuntimeSettings
from biobert.tasks.ner import NamedEntityRecognition
from biobert.text.tokenizer import Tokenizer
from tests.eight_bits import export_in_eight_bits
from tests.tiny import write_tiny_model_folder
from tests.training.conftest import Recorder

ALWAYS = 100.0
FLOAT32 = RuntimeSettings(precision="float32")
TEXT = "Lithium caused cardiac arrest. Aspirin did not cure breast cancer, and diabetes stayed."


class Room:
    """Compresses the tiny model by some steps, with what it says itself for gold."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.model, self.folder, self.listener = model, folder, Recorder()
        gold = list(Annotator(model).annotate_many(NamedEntityRecognition.toy_documents()))
        labels = ("Disease", "Chemical")
        gold = [replace(one, annotated_labels=labels) for one in gold]
        write_documents(gold, folder / "gate.jsonl", "jsonl")
        write_documents(gold, folder / "train.jsonl", "jsonl")

    def compress(
        self, *steps: dict[str, Any], max_loss: float = ALWAYS, model: Path | None = None
    ) -> tuple[Path, CompressionReport]:
        tables = {
            "name": "toy",
            "steps": list(steps),
            "corpora": [{"corpus": str(self.folder / "train.jsonl")}],
            "gate": [{"corpus": str(self.folder / "gate.jsonl")}],
        }
        report = compress(
            str(model or self.model),
            read_compression_recipe(tables, place="toy.toml"),
            CorpusPlaces(cache=self.folder / "cache"),
            self.folder / "out",
            listener=self.listener,
            max_loss=max_loss,
        )
        return self.folder / "out", report


@pytest.fixture
def room(tiny_model: Path, tmp_path: Path) -> Room:
    return Room(tiny_model, tmp_path)


def spans(folder: Path, engine: str = "auto") -> list[tuple[int, int, str]]:
    settings = replace(FLOAT32, engine=engine)
    document = Annotator(folder, settings=settings).annotate(TEXT)
    return [(one.start, one.end, one.label) for one in document.entities]


def test_manifest_and_card_hold_both_scores_and_speeds(room: Room) -> None:
    folder, report = room.compress({"kind": "export"})
    said = read_manifest(folder).compression
    (gate,) = report.original.scores
    assert report.original.scores[gate] == said["original"]["scores"][gate] == 1.0
    score = report.compressed.scores[gate]
    assert report.losses() == said["losses"] == {gate: pytest.approx(100 - 100 * score)}
    assert said["compressed"]["p50_ms"] > 0
    assert said["steps"][0]["said"]["difference_float32"] < 1e-4
    card = (folder / "README.md").read_text()
    assert "## Made smaller" in card
    assert "|  | original | original, exported | this model |" in card
    assert f"score on {gate} | 100.00 | {100 * score:.2f} | {100 * score:.2f}" in card
    assert not list(folder.parent.glob(".out*"))


def test_the_engine_is_no_gain_of_the_steps(room: Room, exported_model: Path) -> None:
    _, report = room.compress({"kind": "export", "weights": "int8"})
    assert report.exported is not None
    assert report.original.engine == "Torch float32"
    assert report.exported.engine == report.compressed.engine
    assert report.exported.bytes > report.compressed.bytes
    # What is exported already, or stays unexported, is compared as it is.
    assert room.compress({"kind": "export"}, model=exported_model)[1].exported is None
    assert room.compress({"kind": "sparse", "share": 0.1})[1].exported is None


def test_a_gate_without_the_models_labels_is_refused_before_the_work(room: Room) -> None:
    gold = [Document("1", "Case.", annotated_labels=("Virus",))]
    write_documents(gold, room.folder / "gate.jsonl", "jsonl")
    with pytest.raises(BadInputError, match="none in common"):
        room.compress({"kind": "export"})
    assert room.listener.notes == []


def test_what_loses_too_much_is_refused_and_leaves_nothing(room: Room) -> None:
    with pytest.raises(GateError, match=r"falls from 100.00 to .* --max-loss 0.3"):
        room.compress({"kind": "sparse", "share": 0.99}, max_loss=0.3)
    with pytest.raises(BadInputError, match="--max-loss nan"):
        room.compress({"kind": "sparse", "share": 0.99}, max_loss=math.nan)
    assert not list(room.folder.glob("*out*"))
    assert not list(room.folder.glob(".out*"))


def test_a_refusal_leaves_the_last_good_folder(room: Room) -> None:
    folder, _ = room.compress({"kind": "export"})
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(GateError):
        room.compress({"kind": "sparse", "share": 0.99}, max_loss=0.3)
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_folder_that_is_no_model_is_not_overwritten(room: Room) -> None:
    (room.folder / "out").mkdir()
    (room.folder / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(BadInputError, match="no model folder"):
        room.compress({"kind": "export"})
    assert (room.folder / "out" / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("weights", ["float32", "float16", "bf16", "int8"])
@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_every_form_is_found_and_answers(room: Room, weights: str, format: str) -> None:
    folder, report = room.compress({"kind": "export", "weights": weights, "format": format})
    names = {path.name for path in folder.iterdir()}
    assert ("model.onnx" in names) == (format == "onnx")
    assert ("model.xml" in names) == (format == "openvino")
    assert report.compressed.engine.startswith("OpenVINO")
    expected, found = spans(room.model, "torch"), spans(folder)
    assert len(set(expected) & set(found)) > 0.8 * len(expected) > 4
    if format == "onnx":
        assert spans(folder, "onnxruntime") == found
    else:
        with pytest.raises(BadInputError, match="onnxruntime"):
            spans(folder, "onnxruntime")


def test_half_precision_is_made_whole_before_it_is_rounded(room: Room) -> None:
    half, _ = room.compress({"kind": "export", "weights": "float16"})
    half = half.rename(room.folder / "half")
    small, _ = room.compress({"kind": "export", "weights": "int8"}, model=half)
    assert (small / "model.onnx").stat().st_size < 0.8 * (half / "model.onnx").stat().st_size
    np.testing.assert_allclose(
        answers(small, "onnxruntime"), answers(half, "onnxruntime"), atol=0.1
    )


def test_static_eight_bits_are_calibrated_and_run_on_both_engines(room: Room) -> None:
    import onnx

    calibration = {"rows": 4, "float_nodes": [".*classifier.*"]}
    folder, _ = room.compress(
        {"kind": "export", "weights": "int8-static", "calibration": calibration}
    )
    graph = onnx.load(folder / "model.onnx").graph
    users = {name for node in graph.node if node.op_type == "MatMul" for name in node.input}
    kinds = [node.op_type for node in graph.node for name in node.output if name in users]
    assert kinds.count("DequantizeLinear") > 12
    logits = [answers(folder, engine) for engine in ("openvino", "onnxruntime")]
    exact = answers(room.model, "torch")
    for found in logits:
        assert np.abs(found - exact).max() < 0.2 * np.abs(exact).max()
    # Weights could be made floats again; activations would be rounded on, in a "float32" model.
    folder = folder.rename(room.folder / "static")
    for weights in ("float32", "int8"):
        with pytest.raises(BadInputError, match="rounds activations too"):
            room.compress({"kind": "export", "weights": weights}, model=folder)


def test_parts_that_are_to_stay_floats_must_be_there(room: Room) -> None:
    calibration = {"rows": 1, "float_nodes": ["nowhere"]}
    step = {"kind": "export", "weights": "int8-static", "calibration": calibration}
    with pytest.raises(BadInputError, match=r"'nowhere'; they are called /network/encoder"):
        room.compress(step)


def answers(folder: Path, engine: str) -> np.ndarray:
    model = load_model(folder, replace(FLOAT32, engine=engine))
    examples = model.task.examples(Document("1", TEXT))
    windows = [one for some in model.task.encode(examples, model.tokenizer) for one in some]
    return np.concatenate([one["tags"] for one in model.predictor.predict(windows)])


def test_a_folder_without_weights_is_exported_from_its_graph(
    room: Room, exported_model: Path
) -> None:
    export_in_eight_bits(room.model, room.folder / "rounded")
    folder, _ = room.compress({"kind": "export"}, model=room.folder / "rounded")
    np.testing.assert_allclose(
        answers(folder, "openvino"), answers(room.folder / "rounded", "openvino"), atol=1e-4
    )
    with pytest.raises(BadInputError, match="has no weights"):
        room.compress({"kind": "layers", "layers": 1}, model=exported_model)


def test_steps_follow_one_another(room: Room) -> None:
    run = {"steps": 2, "checkpoint_every_steps": 2}
    folder, report = room.compress(
        {"kind": "layers", "layers": 1, "rows": 2},
        {"kind": "heads", "heads": 2, "rows": 2},
        {"kind": "width", "intermediate_size": 16, "rows": 2},
        {"kind": "train", "teaching": {"hidden": 1.0}, "run": run},
        {"kind": "vocabulary"},
        {"kind": "sparse", "share": 0.5},
    )
    config = read_config(folder)
    shape = ("num_hidden_layers", "num_attention_heads", "intermediate_size")
    assert [config[one] for one in shape] == [1, 2, 16]
    assert config["attention_head_size"] == 8
    assert [one.kind for one in report.steps][-1] == "sparse"
    names = {path.name for path in folder.iterdir()}
    assert "model.sparse.safetensors" in names
    assert not names & {"model.safetensors", "checkpoints", "history.jsonl"}
    assert "transformers does not know this shape" in (folder / "README.md").read_text()
    assert load_model(folder).manifest.task == "ner"


def test_a_student_learns_from_the_model(room: Room) -> None:
    shape = {"layers": 1, "hidden_size": 16, "heads": 2, "intermediate_size": 32}
    run = {"steps": 2, "checkpoint_every_steps": 2}
    folder, _ = room.compress({"kind": "distil", "student": {"shape": shape}, "run": run})
    assert read_config(folder)["hidden_size"] == 16
    manifest = read_manifest(folder)
    assert manifest.task_settings == read_manifest(room.model).task_settings
    learnt = learnt_from(manifest, places=CorpusPlaces(room.folder / "cache"))
    assert [one for one in learnt.sources if "train.jsonl" in one]


def test_half_of_each_matrix_is_zero(room: Room) -> None:
    folder, report = room.compress({"kind": "sparse", "share": 0.5})
    (step,) = report.steps
    # The position embeddings, almost half of this tiny model, stay whole.
    assert step.said["bytes"][1] < 0.8 * step.said["bytes"][0]
    before, after = read_tensors(room.model), read_tensors(folder)
    name = "bert.encoder.layer.1.intermediate.dense.weight"
    assert int((after[name] == 0).sum()) == after[name].numel() // 2
    kept = after[name] != 0
    assert before[name][~kept].abs().max() <= before[name][kept].abs().min()
    assert bool((after[name][kept] == before[name][kept]).all())
    assert largest(before[name], 1.0).all()


def test_the_vocabulary_of_the_corpora_stays(room: Room) -> None:
    folder, report = room.compress({"kind": "vocabulary"})
    old, new = (Tokenizer.from_folder(one) for one in (room.model, folder))
    assert report.steps[0].said["pieces"] == [old.vocabulary_size, new.vocabulary_size]
    assert new.vocabulary_size < old.vocabulary_size
    assert report.losses() == dict.fromkeys(report.original.scores, 0.0)
    for text in ("aspirin and lithium", "zinc (q7%)"):
        (pieces,) = new.pieces([text])
        assert new.special("unk") not in pieces.ids
    theirs = AutoTokenizer.from_pretrained(folder)
    assert theirs("lithium").input_ids[0] == new.special("cls")


def test_an_ensemble_has_no_weights_of_its_own(room: Room) -> None:
    folder = room.folder / "ensemble"
    folder.mkdir()
    ModelManifest("two", "ner", {"labels": ["Disease"]}, members=("a", "b")).write(folder)
    (folder / "model.safetensors").touch()
    with pytest.raises(BadInputError, match="ensemble"):
        room.compress({"kind": "export"}, model=folder)


def corpora(name: str, *splits: str) -> dict[str, Any]:
    return {"corpora": [{"corpus": name, "splits": list(splits)}]}


def test_a_recipe_is_read_with_care() -> None:
    gate = [{"corpus": "NCBI-disease", "splits": ["devel"]}]
    good = {"name": "x", "gate": gate, "steps": [{"kind": "export"}]}
    recipe = read_compression_recipe(good, place="x.toml")
    assert json.loads(json.dumps(recipe.resolved()))["steps"][0]["weights"] == "float32"
    for wrong, said in (
        ({"steps": [{"kind": "exprot"}]}, "did you mean 'export'"),
        ({"steps": [{"weights": "int8"}]}, "kind is missing"),
        ({"steps": [{"kind": "sparse", "shares": 0.5}]}, "did you mean 'share'"),
        ({"steps": [{"kind": "export"}, {"kind": "sparse", "share": 0.5}]}, "last step"),
        ({"steps": []}, "at least one"),
        ({"corpora": gate}, r"stands in \[\[corpora\]\] and \[\[gate\]\]"),
        (corpora("NCBI-disease", "train", "devel"), "NCBI-disease devel stands in"),
        (corpora("NCBI-disease", "train+devel"), "NCBI-disease devel stands in"),
        (corpora("ncbi-DISEASE", "devel"), "NCBI-disease devel stands in"),
    ):
        with pytest.raises(BadInputError, match=said):
            read_compression_recipe({**good, **wrong}, place="x.toml")


def test_pieces_that_a_task_writes_into_its_rows_stay(tmp_path: Path) -> None:
    settings = {
        "labels": ["up"],
        "negative": "none",
        "pairs": [["Cancer", "Cardiac"]],
        "marking": "anonymous",
    }
    model = write_tiny_model_folder(tmp_path / "m", task="relations", others=settings)
    text = "aspirin and lithium."
    entities = (Entity(0, 7, "Cancer", id="T1"), Entity(12, 19, "Cardiac", id="T2"))
    ends = (Argument("Cancer", "T1"), Argument("Cardiac", "T2"))
    document = Document("1", text, entities=entities, relations=(Relation("up", ends),))
    for name in ("pairs", "gate"):
        write_documents([document], tmp_path / f"{name}.jsonl")
    pairs, gate = ([{"corpus": str(tmp_path / f"{name}.jsonl")}] for name in ("pairs", "gate"))
    tables = {"name": "x", "steps": [{"kind": "vocabulary"}], "corpora": pairs, "gate": gate}
    compress(
        str(model),
        read_compression_recipe(tables, place="x.toml"),
        CorpusPlaces(tmp_path / "cache"),
        tmp_path / "out",
        listener=Recorder(),
        max_loss=ALWAYS,
    )
    pieces = Tokenizer.from_folder(tmp_path / "out").backend.get_vocab()
    assert {"cancer", "cardiac"} <= pieces.keys()
    assert "diabetes" not in pieces
