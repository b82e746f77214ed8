"""`biobert convert`, `biobert data` and `biobert corpus` from the command line."""

import json
from pathlib import Path

import pytest

from biobert.data.catalogue import load_corpus
from tests.cli.calling import call
from tests.data.articles import prose
from tests.tiny import tiny_tokenizer


def test_an_error_of_the_machine_is_said_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Aspirin.")
    found = call("convert", tmp_path / "a.txt", tmp_path / "a.txt" / "b.jsonl", "--json")
    assert found.code == 1
    assert found.json["error"]["code"] == "io"
    assert "a.txt" in found.json["error"]["message"]


def test_a_corpus_at_hand_is_copied_and_another_one_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = load_corpus("NCBI-disease")
    monkeypatch.setenv("BIOBERT_DATA", str(tmp_path / "data"))
    for file in corpus.splits.values():
        (tmp_path / "data" / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / file.path).write_text("another\tO\n")
    found = call("data", "get", corpus.name, "--output", tmp_path / "mine", "--json")
    assert found.code == 1
    assert found.json["error"]["code"] == "checksum"
    for file in corpus.splits.values():
        assert (tmp_path / "mine" / file.path).read_text() == "another\tO\n"


def test_a_refused_build_leaves_the_list_of_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BIOBERT_DATA", raising=False)  # test splits that take a while to look for
    tiny_tokenizer().save(tmp_path)
    lines = [{"text": prose(number)} for number in range(4)]
    text = "".join(json.dumps(one) + "\n" for one in [*lines, {"text": "Short."}])
    (tmp_path / "a.jsonl").write_text(text)
    command = [
        "corpus",
        "build",
        tmp_path / "a.jsonl",
        "--output",
        tmp_path / "out",
        "--workers",
        1,
    ]
    command += ["--tokenizer", tmp_path, "--rejects", tmp_path / "rejects", "--json"]
    assert call(*command).code == 0
    listed = (tmp_path / "rejects").read_text()
    assert "too short" in listed
    assert call(*command).json["error"]["code"] == "occupied"
    assert (tmp_path / "rejects").read_text() == listed
