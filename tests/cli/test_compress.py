"""`compress` and `compare-speed` as a shell calls them."""

from dataclasses import replace
from pathlib import Path

from biobert.data.reading import write_documents
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


def test_compare_speed_without_a_corpus(exported_model: Path) -> None:
    done = call("compare-speed", exported_model, "--texts", 2, "--turns", 1)
    assert done.code == 0
    assert "peak memory, MiB" in done.out
    assert "toy documents" in done.out
