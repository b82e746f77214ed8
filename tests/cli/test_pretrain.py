"""From plain text to a model that fills gaps: the commands that the smallest recipe names."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import BertForPreTraining

from biobert.core import hub
from biobert.core.model_folder import read_manifest
from biobert.text.tokenizer import Tokenizer
from tests.cli.calling import call
from tests.corpora import write_toy_corpus
from tests.data.articles import prose
from tests.tiny import tiny_tokenizer, write_tiny_encoder_folder, write_tiny_model_folder

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes" / "pretrain-tiny.toml"


def test_the_commands_of_the_smallest_recipe_work(tmp_path: Path) -> None:
    for name in ("recipes", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    commands = re.findall(r"^#   (biobert .*)$", RECIPE.read_text(), re.MULTILINE)
    assert len(commands) == 4
    script = "\n".join(commands)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=tmp_path,
        # Without the test splits that a build looks for, where there are any.
        env={**os.environ, "PATH": path, "BIOBERT_DATA": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    metrics = read_manifest(tmp_path / "tiny").metrics
    # Guessing among 600 pieces would have a perplexity of 600.
    (perplexity,) = (value for name, value in metrics.items() if "perplexity" in name)
    assert perplexity < 400
    assert "[MASK]" in done.stdout


def test_a_corpus_has_the_built_in_vocabulary_unless_another_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(prose(1))
    arguments = (tmp_path / "a.txt", "--output", tmp_path / "out", "--test-splits", "keep")
    built = call("corpus", "build", *arguments, "--json")
    assert built.code == 0, built.err
    embedded = Tokenizer.from_folder(ROOT / "src" / "biobert" / "embedded")
    assert built.json["data"]["tokenizer"] == embedded.fingerprint()


def test_candidates_come_with_their_place_and_probability(tmp_path: Path) -> None:
    model = write_tiny_encoder_folder(tmp_path / "bert", kind="BertForMaskedLM")
    text = "aspirin and [MASK] cancer"
    found = call("fill-mask", text, "--model", model, "--top", "3", "--json")
    assert found.code == 0, found.err
    (gap,) = found.json["data"]["gaps"]
    assert text[gap["start"] : gap["end"]] == "[MASK]"
    chances = [one["probability"] for one in gap["candidates"]]
    assert len(chances) == 3
    assert chances == sorted(chances, reverse=True)
    assert 0 < sum(chances) <= 1


def test_without_a_model_the_encoder_of_the_repository_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = call("fill-mask", "Aspirin inhibits platelet [MASK].", "--json")
    assert found.code == 0, found.err
    assert found.json["data"]["gaps"][0]["candidates"][0]["piece"] == "aggregation"
    monkeypatch.chdir(tmp_path)
    found = call("fill-mask", "Aspirin inhibits platelet [MASK].", "--json")
    assert found.code == 0, found.err
    monkeypatch.setattr(hub, "__file__", str(tmp_path / "lib/python/biobert/core/hub.py"))
    found = call("fill-mask", "Aspirin inhibits platelet [MASK].", "--json")
    assert found.code == 1
    assert "no such model folder: models/biobert-mini" in found.json["error"]["message"]


def test_what_comes_with_the_package_is_no_encoder() -> None:
    for arguments in (("fill-mask", "[MASK]"), ("embed", "-", "--output", "no.npy")):
        found = call(*arguments, "--model", "embedded", "--json", stdin="a")
        assert found.code == 2
        assert "take models/biobert-mini" in found.json["error"]["message"]


def test_a_tokenizer_with_more_pieces_than_the_checkpoint_is_refused(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    size = tokenizer.vocabulary_size
    tokenizer.backend.add_tokens(["cardiacs", "aspirinated"])
    corpus = write_toy_corpus(tmp_path / "corpus", documents=20, tokenizer=tokenizer)
    (tmp_path / "toy.jsonl").write_text('{"text": "Cardiacs."}\n')
    encoder = write_tiny_encoder_folder(tmp_path / "bert", kind="BertForPreTraining")
    model = write_tiny_model_folder(tmp_path / "ner")
    for folder in (encoder, model):
        tokenizer.save(folder)
    pretraining = recipe(tmp_path, encoder, corpus, task='{name = "pretraining"}')
    tagging = recipe(
        tmp_path, encoder, tmp_path / "toy.jsonl", task='{name = "ner", labels = ["Disease"]}'
    )
    for arguments in (
        ("train", pretraining, "--output", tmp_path / "out"),
        ("train", tagging, "--output", tmp_path / "out"),
        ("fill-mask", "cardiacs [MASK] aspirinated", "--model", encoder),
        ("annotate", tmp_path / "toy.jsonl", "--model", model, "--output", tmp_path / "annotated"),
    ):
        found = call(*arguments, "--json")
        assert found.code == 1, arguments
        message = found.json["error"]["message"]
        words = f"the tokenizer has {size + 2} pieces, the checkpoint {size} word embeddings"
        assert words in message and "model.vocabulary" in message


def test_a_checkpoint_with_more_rows_than_pieces_is_none_the_worse(tmp_path: Path) -> None:
    folder = write_tiny_encoder_folder(tmp_path / "bert", kind="BertForPreTraining")
    padded = BertForPreTraining.from_pretrained(folder)
    padded.resize_token_embeddings(len(padded.get_input_embeddings().weight) + 6)
    padded.save_pretrained(folder)
    found = call("fill-mask", "aspirin and [MASK]", "--model", folder, "--json")
    assert found.code == 0, found.err
    corpus = write_toy_corpus(tmp_path / "corpus", documents=20)
    plan = recipe(tmp_path, folder, corpus, task='{name = "pretraining"}')
    trained = call("train", plan, "--output", tmp_path / "out", "--json")
    assert trained.code == 0, trained.err


def recipe(folder: Path, encoder: Path, corpus: Path, *, task: str) -> Path:
    """Two steps of a task, from an encoder."""
    path = folder / "toy.toml"
    path.write_text(
        f"""name = "toy"
        task = {task}
        model.encoder = "{encoder}"
        data.train = [{{ corpus = "{corpus}" }}]
        batches.tokens = 256
        stages = [{{ length = 24 }}]
        run.steps = 2
        """
    )
    return path


@pytest.mark.parametrize(
    ("text", "kind", "problem"),
    [
        ("no gap at all", "BertForMaskedLM", "write [MASK]"),
        ("a [MASK] " + "cancer " * 600, "BertForMaskedLM", "the model reads 512"),
        ("a [MASK]", "BertModel", "no masked language model"),
    ],
)
def test_wrong_calls_of_fill_mask_name_the_cure(
    tmp_path: Path, text: str, kind: str, problem: str
) -> None:
    model = write_tiny_encoder_folder(tmp_path / "bert", kind=kind)
    found = call("fill-mask", text, "--model", model, "--json")
    assert found.code == 1
    assert problem in found.json["error"]["message"]
