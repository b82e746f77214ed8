"""`biobert corpus`: built with a tagger or on a cluster, shown, and learnt from by its tags."""

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biobert.data.shards import SPLITS, open_corpus
from tests.cli.calling import Call, call
from tests.data.articles import prose
from tests.data.built import checksums
from tests.tiny import tiny_tokenizer, write_tiny_encoder_folder, write_tiny_model_folder

TAGS = ("DT", "NN", "VBD")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    for number in range(12):
        (folder / f"{number:02}.txt").write_text(prose(number))
    (folder / "notes.docx").write_bytes(b"no text")
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder") / "bert"
    return write_tiny_encoder_folder(folder, kind="BertForPreTraining")


@pytest.fixture(scope="module")
def tagged(texts: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus whose tokens have the tags of a model."""
    place = tmp_path_factory.mktemp("corpus")
    model = write_tiny_model_folder(place / "tagger", task="pos", labels=TAGS)
    found = build(texts, place / "tagged", encoder, "--tagger", model, "--heldout", 0.3)
    assert found.code == 0, found.err
    assert found.json["data"]["tags"] == ["", *TAGS]
    return place / "tagged"


def build(texts: Path, output: Path, tokenizer: Path, *more: object) -> Call:
    arguments = (texts, "--output", output, "--tokenizer", tokenizer, "--test-splits", "keep")
    return call("corpus", "build", *arguments, "--workers", 1, *more, "--json")


def test_every_piece_of_a_word_has_the_tag_of_the_model(tagged: Path) -> None:
    opened = open_corpus(tagged)
    shard = opened.load(0)
    assert shard.tags is not None and shard.tags.shape == shard.tokens.shape
    names = [tiny_tokenizer().backend.id_to_token(one) for one in shard.tokens.tolist()]
    inside = np.array([name.startswith("##") for name in names])
    first = np.flatnonzero(inside[1:])
    assert len(first) > 100
    assert (shard.tags[first + 1] == shard.tags[first]).all()
    assert len(set(shard.tags.tolist())) > 1


def test_what_a_corpus_holds_is_shown(tagged: Path) -> None:
    found = call("corpus", "show", tagged, "--samples", 4, "--seed", 3, "--json")
    assert found.code == 0, found.err
    data = found.json["data"]
    shards = [open_corpus(tagged, split).load(0) for split in SPLITS]
    lengths = np.concatenate([np.diff(one.sentence_ends, prepend=0) for one in shards])
    shown = data["tokens_per_sentence"]
    assert (shown["shortest"], shown["longest"]) == (lengths.min(), lengths.max())
    assert list(shown.values()) == sorted(shown.values())
    counts = Counter(tag for one in shards for tag in one.tags.tolist())  # type: ignore[union-attr]
    names = ["-", *TAGS]
    assert data["tag_counts"] == {names[tag]: count for tag, count in counts.items()}
    assert data["rejects"] == {"ending not known": 1}
    assert data["damaged_shards"] == []
    assert len(data["samples"]) == 4
    for sample in data["samples"]:
        assert 1 < len(sample["tags"]) <= shown["longest"]
        assert set(sample["tags"]) <= {"", *TAGS}
        held = open_corpus(tagged, sample["split"]).document_records(0)
        assert sample["document"] in [one["id"] for one in held]
    again = call("corpus", "show", tagged, "--samples", 4, "--seed", 3, "--json")
    assert again.json["data"]["samples"] == data["samples"]
    other = call("corpus", "show", tagged, "--samples", 4, "--seed", 4, "--json")
    assert other.json["data"]["samples"] != data["samples"]


def test_a_person_reads_figures_tags_and_sentences(tagged: Path) -> None:
    found = call("corpus", "show", tagged, "--samples", 1)
    assert found.code == 0, found.err
    for words in (
        "tokens in a sentence: shortest",
        "tags: ",
        "left out or noted: 1 ",
        "ending not known",
    ):
        assert words in found.out
    tags = found.out.splitlines()[-1].split()
    assert set(tags) <= {"-", *TAGS}


def test_a_damaged_shard_is_shown_by_name(texts: Path, encoder: Path, tmp_path: Path) -> None:
    assert build(texts, tmp_path / "out", encoder).code == 0
    shard = tmp_path / "out" / "train-00000.tokens.npy"
    shard.write_bytes(shard.read_bytes()[:-2])
    found = call("corpus", "show", tmp_path / "out")
    assert found.code == 0, found.err
    assert "DAMAGED shard train-00000" in found.out
    resumed = build(texts, tmp_path / "out", encoder, "--resume")
    assert resumed.code == 1
    assert "remove" in resumed.json["error"]["message"]


def test_a_source_that_breaks_off_is_named_at_the_end(
    texts: Path, encoder: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    whole = gzip.compress(b'{"text": "Lithium helps."}\n' * 400)
    (tmp_path / "in" / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "in" / "cut.xml").write_text("<PubmedArticleSet><PubmedArticle>")
    (tmp_path / "in" / "a.txt").write_text((texts / "00.txt").read_text())
    found = build(tmp_path / "in", tmp_path / "out", encoder, "--heldout", 0)
    assert found.code == 1
    error = found.json["error"]
    assert error["code"] == "unreadable"
    assert "cut.jsonl.gz: damaged source: " in error["message"]
    assert "cut.xml: cut short: " in error["message"]
    shown = call("corpus", "show", tmp_path / "out", "--json")
    assert shown.json["data"]["splits"]["train"]["documents"] == 1


def test_a_recipe_hides_words_by_their_tags(tagged: Path, encoder: Path, tmp_path: Path) -> None:
    def trained(output: str, weights: str) -> Call:
        recipe = tmp_path / f"{output}.toml"
        recipe.write_text(
            f"""name = "toy"
            [task]
            name = "pretraining"
            [task.masking.weights]
            {weights}
            [model]
            encoder = "{encoder}"
            [data]
            train = [{{ corpus = "{tagged}" }}]
            devel = [{{ corpus = "{tagged}", splits = ["heldout"] }}]
            [batches]
            tokens = 512
            [[stages]]
            length = 64
            [run]
            steps = 3
            """
        )
        return call("train", recipe, "--output", tmp_path / output, "--json")

    losses: dict[str, Any] = {}
    for output, weights in (("plain", ""), ("weighed", "NN = 8.0\n VBD = 0.0")):
        found = trained(output, weights)
        assert found.code == 0, found.err
        losses[output] = found.json["data"]["metrics"]["devel"]
    assert losses["weighed"] != losses["plain"]
    wrong = trained("wrong", "NNP = 2.0")
    assert wrong.code == 1
    assert "NNP" in wrong.json["error"]["message"]


@pytest.mark.usefixtures("cluster")
@pytest.mark.filterwarnings("ignore:.*is deprecated.*:DeprecationWarning:ray")
def test_a_cluster_builds_the_same_corpus(texts: Path, encoder: Path, tmp_path: Path) -> None:
    for engine in ("local", "ray"):
        found = build(texts, tmp_path / engine, encoder, "--engine", engine)
        assert found.code == 0, found.err
    assert checksums(tmp_path / "local") == checksums(tmp_path / "ray")
