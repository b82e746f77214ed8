"""`compress` and `compare-speed` as a shell calls them."""

import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from biobert.core.document import Document
from biobert.core.model_folder import read_manifest
from biobert.data.reading import write_documents
from biobert.pipeline import compressing
from biobert.pipeline.annotator import Annotator
from biobert.tasks.ner import NamedEntityRecognition
from tests.cli.calling import call
from tests.tiny import write_tiny_model_folder

RECIPE = """
name = "toy"
[[gate]]
corpus = "{corpus}"
[[steps]]
kind = "export"
weights = "int8"
"""


def recipe(folder: Path) -> Path:
    write_documents(NamedEntityRecognition.toy_documents(), folder / "gold.jsonl", "jsonl")
    (folder / "toy.toml").write_text(RECIPE.format(corpus=folder / "gold.jsonl"))
    return folder / "toy.toml"


def test_compress_writes_a_model_and_says_what_it_cost(tiny_model: Path, tmp_path: Path) -> None:
    path, output = recipe(tmp_path), tmp_path / "small"
    done = call("compress", tiny_model, "--recipe", path, "-o", output, "--max-loss", 100, "--json")
    assert done.code == 0
    data = done.json["data"]
    assert data["compressed"]["bytes"] < data["original"]["bytes"]
    assert (output / "model.onnx").is_file()
    shown = call("compress", tiny_model, "--recipe", path, "-o", output, "--max-loss", 100)
    assert "one text, median ms" in shown.out
    assert "original, exported" in shown.out
    assert f"model folder: {output}" in shown.out.replace("\n", "")


def test_an_export_is_measured_where_a_corpus_is_named(tiny_model: Path, tmp_path: Path) -> None:
    recipe(tmp_path)
    gated = ("export", tiny_model, "--corpus", tmp_path / "gold.jsonl", "-o", tmp_path / "small")
    done = call(*gated, "--max-loss", 100, "--json")
    assert done.code == 0, done.err
    assert done.json["data"]["compressed"]["bytes"] < done.json["data"]["original"]["bytes"]
    assert "## Made smaller" in (tmp_path / "small" / "README.md").read_text()
    assert call(*gated, "--max-loss", -100, "--json").json["error"]["code"] == "refused"
    assert call(*gated, "--max-loss", "nan", "--json").json["error"]["code"] == "usage"


PARTS = {label: {"name": "ner", "labels": [label]} for label in ("Disease", "Chemical")}


def test_a_part_of_a_multitask_answers_for_it(tmp_path: Path) -> None:
    both = write_tiny_model_folder(tmp_path / "both", task="multitask", others={"parts": PARTS})
    recipe(tmp_path)
    corpus = ("--corpus", tmp_path / "gold.jsonl", "--split", "devel")
    gated = ("export", both, "-o", tmp_path / "small", *corpus, "--max-loss", 100)
    assert "name one of them as part" in call(*gated).err
    unknown = call(*gated, "--part", "Chemicals")
    assert unknown.code == 2 and "did you mean 'Chemical'?" in unknown.err
    done = call(*gated, "--part", "Chemical", "--json")
    assert done.code == 0, done.err
    assert list(done.json["data"]["compressed"]["scores"]) == [
        f"Chemical {tmp_path}/gold.jsonl devel"
    ]
    assert Annotator(tmp_path / "small").model.labels == ("Disease", "Chemical")
    scores = call(
        "evaluate", tmp_path / "small", tmp_path / "gold.jsonl", "--part", "Chemical", "--json"
    )
    assert scores.json["data"]["labels"] == ["Chemical"]
    timed = ("compare-speed", both, tmp_path / "small", *corpus, "--texts", 2, "--turns", 1)
    found = call(*timed, "--part", "Chemical", "--json").json["data"]["variants"]
    exported = done.json["data"]["compressed"]["scores"].values()
    assert [found[1]["score"]] == list(exported)


def test_an_export_that_is_not_measured_keeps_its_weights(tiny_model: Path, tmp_path: Path) -> None:
    plain = ("export", tiny_model, "-o", tmp_path / "plain")
    for weights in ((), ("--weights", "float32")):
        assert "float32 weights" in call(*plain, *weights).out
    for option in (("--max-loss", 0.1), ("--split", "test"), ("--weights", "int8")):
        refused = call("export", tiny_model, "-o", tmp_path / "none", *option)
        assert refused.code == 2 and f"{option[0]} needs --corpus" in refused.err
    assert not (tmp_path / "none").exists()


def test_an_export_is_calibrated_on_text_of_its_own(tiny_model: Path, tmp_path: Path) -> None:
    recipe(tmp_path)
    gold, other = tmp_path / "gold.jsonl", tmp_path / "other.jsonl"
    other.write_bytes(gold.read_bytes())
    gated = ("export", tiny_model, "--corpus", gold, "-o", tmp_path / "small", "--max-loss", 100)
    for half in (("--weights", "int8-static"), ("--calibrate", other)):
        refused = call(*gated, *half)
        assert refused.code == 2 and "need each other" in refused.err
    done = call(*gated, "--weights", "int8-static", "--calibrate", other, "--json")
    assert done.code == 0, done.err
    assert done.json["data"]["weights"] == "int8-static"


def test_labels_of_others_are_renamed(tiny_model: Path, tmp_path: Path) -> None:
    disease = replace(NamedEntityRecognition.toy_documents()[0], annotated_labels=("Illness",))
    entities = [replace(one, label="Illness") for one in disease.entities]
    write_documents([disease.with_entities(entities)], tmp_path / "gold.jsonl", "jsonl")
    corpus = ("--corpus", tmp_path / "gold.jsonl")
    for verb in (
        ("export", tiny_model, *corpus, "-o", tmp_path / "small", "--max-loss", 100),
        ("compare-speed", tiny_model, *corpus, "--texts", 1, "--turns", 1),
    ):
        refused = call(*verb)
        assert refused.code == 1 and "--rename THEIRS=OURS" in refused.err
        renamed = call(*verb, "--rename", "Illness=Disease")
        assert renamed.code == 0, renamed.err


def test_a_refusal_has_a_code_of_its_own(tiny_model: Path, tmp_path: Path) -> None:
    output = tmp_path / "small"
    refused = call(
        *("compress", tiny_model, "--recipe", recipe(tmp_path), "-o", output),
        *("--set", 'steps=[{kind="sparse", share=0.9}]', "--max-loss", "-100", "--json"),
    )
    assert refused.code == 1
    assert refused.json["error"]["code"] == "refused"
    assert not output.exists()


def test_an_unknown_step_names_the_nearest(tiny_model: Path, tmp_path: Path) -> None:
    wrong = ("--set", 'steps=[{kind="prune-heads"}]')
    done = call("compress", tiny_model, "-r", recipe(tmp_path), "-o", tmp_path / "x", *wrong)
    assert done.code == 2
    assert "did you mean 'heads'" in done.err


@pytest.fixture
def taught(tmp_path: Path) -> Path:
    """A model that has learnt from the first of the two documents of gold.jsonl."""
    model = write_tiny_model_folder(tmp_path / "taught")
    recipe(tmp_path)
    gold = NamedEntityRecognition.toy_documents()
    write_documents(gold[:1], tmp_path / "learnt.jsonl", "jsonl")
    other = Document("2", "Nobody fell ill.", annotated_labels=("Disease", "Chemical"))
    write_documents([gold[0], other], tmp_path / "gold.jsonl", "jsonl")
    learnt = {"data": {"train": [{"corpus": str(tmp_path / "learnt.jsonl")}]}}
    replace(read_manifest(model), recipe=learnt).write(model)
    return model


def test_what_a_gate_shares_with_the_training_data_is_said(taught: Path, tmp_path: Path) -> None:
    output = tmp_path / "small"
    told = call("compress", taught, "-r", tmp_path / "toy.toml", "-o", output, "--max-loss", 100)
    assert told.code == 0, told.err
    said = read_manifest(output).compression
    for one in ("original", "exported", "compressed"):
        (shared,) = said[one]["shared"].values()
        total = shared["total"]
        assert 0 < shared["count"] == total - 1 and shared["unit"] == "sentences"
    line = f"sentences that stand in the training data too: {total - 1} of {total}"
    shown = " ".join(told.out.split())
    assert f"gold.jsonl train, compressed: {line}" in shown.replace(f"{tmp_path}/", "")
    counts = f"| {total - 1} of {total} " * 3
    assert f"| sentences of it in the training data too {counts}|" in (
        output / "README.md"
    ).read_text(encoding="utf-8")
    gated = ("--corpus", tmp_path / "gold.jsonl", "-o", output, "--max-loss", 100)
    assert line in " ".join(call("export", taught, *gated).out.split())


def test_compare_speed_says_what_each_model_has_learnt_from(
    taught: Path, tiny_model: Path, tmp_path: Path
) -> None:
    timed = ("compare-speed", taught, tiny_model, "--corpus", tmp_path / "gold.jsonl")
    shown = " ".join(call(*timed, "--texts", 1, "--turns", 1).out.split())
    assert "taught: sentences that stand in the training data too:" in shown
    assert "not compared with the training data: the model names none" in shown
    found = call(*timed, "--texts", 1, "--turns", 1, "--json").json["data"]["variants"]
    assert [one["shared"]["count"] for one in found] == [found[0]["shared"]["total"] - 1, 0]


@pytest.mark.parametrize("verb", ["compare-speed", "evaluate"])
def test_a_label_that_is_not_there_cannot_be_renamed(
    verb: str, exported_model: Path, tmp_path: Path
) -> None:
    recipe(tmp_path)
    gold = tmp_path / "gold.jsonl"
    corpus = ("--corpus", gold) if verb == "compare-speed" else (gold,)
    refused = call(verb, exported_model, *corpus, "--rename", "Illness=Disease")
    assert refused.code == 2
    assert "'Illness'" in refused.err and "known: Chemical, Disease" in refused.err


def test_sigterm_leaves_nothing_half_written(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*given: Any) -> NoReturn:
        assert (tmp_path / ".small.part").is_dir()
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("it went on")

    monkeypatch.setattr(compressing, "run_steps", stopped)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        done = call("compress", tiny_model, "-r", recipe(tmp_path), "-o", tmp_path / "small")
        assert done.code == 143
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not list(tmp_path.glob("*small*")) and not list(tmp_path.glob(".small*"))


def test_the_model_that_is_built_in_has_no_weights_to_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What would load torch is not even there.
    monkeypatch.setitem(sys.modules, "biobert.compression.folder", None)
    refused = call("export", "embedded", "-o", tmp_path / "none")
    assert refused.code == 1 and "embedded is exported already" in refused.err


def test_compare_speed_without_a_corpus(exported_model: Path) -> None:
    done = call("compare-speed", exported_model, "--texts", 2, "--turns", 1)
    assert done.code == 0
    assert "peak memory, MiB" in done.out
    assert "toy documents" in done.out


def test_what_no_step_can_change_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    recipe = Path(__file__).parents[2] / "recipes/compress-layers.toml"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BIOBERT_DATA", raising=False)
        found = call("compress", "embedded", "--recipe", recipe, "--output", tmp_path / "out")
    assert found.code == 1
    assert "has no weights" in found.err and "fetch" not in found.err
