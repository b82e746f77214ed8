"""Shards on disk: read as they were written, and never when damaged."""

import json
from pathlib import Path

import numpy as np
import pytest

from biobert.core.errors import BadInputError, BiobertError
from biobert.data.shards import (
    CorpusManifest,
    ShardRecord,
    Split,
    open_corpus,
    read_corpus_manifest,
    token_type,
    write_manifest,
    write_shard,
)

RECORDS = [{"id": "a", "bytes": 30}, {"id": "b\ud800", "bytes": 12}]


def write(folder: Path, name: str, split: Split = "train", *, tags: bool = False) -> ShardRecord:
    """Two documents: one of two sentences (3 and 1 tokens), one of one sentence (2 tokens)."""
    arrays = {
        "tokens": np.array([5, 6, 7, 8, 9, 10], dtype=np.uint16),
        "sentences": np.array([3, 1, 2], dtype=np.uint32),
        "documents": np.array([2, 1], dtype=np.uint32),
    }
    if tags:
        arrays["tags"] = np.array([0, 1, 1, 0, 2, 0], dtype=np.uint8)
    return write_shard(folder, name, split, arrays, RECORDS)


def corpus(folder: Path, *shards: ShardRecord) -> Path:
    write_manifest(folder, CorpusManifest(100, "f", shards, tags=("", "A", "B")))
    return folder


def test_a_shard_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = write(tmp_path, "train-00000", tags=True)
    assert (record.documents, record.sentences, record.tokens, record.text_bytes) == (2, 3, 6, 42)
    opened = open_corpus(corpus(tmp_path, record))
    assert opened.tokens == 6
    shard = opened.load(0)
    assert shard.tokens.tolist() == [5, 6, 7, 8, 9, 10]
    assert shard.sentence_ends.tolist() == [3, 4, 6]
    assert shard.document_ends.tolist() == [2, 3]
    assert shard.tags is not None and shard.tags.tolist() == [0, 1, 1, 0, 2, 0]
    assert [one["id"] for one in opened.document_records(0)] == ["a", "b?"]
    assert isinstance(shard.tokens, np.memmap)
    assert {path.name[0] for path in tmp_path.iterdir()} == {"m", "t"}  # nothing half-written


def test_splits_are_kept_apart(tmp_path: Path) -> None:
    shards = [write(tmp_path, "train-00000"), write(tmp_path, "heldout-00000", "heldout")]
    corpus(tmp_path, *shards)
    for split in ("train", "heldout"):
        (found,) = open_corpus(tmp_path, split).shards  # type: ignore[arg-type]
        assert found.split == split
    manifest = read_corpus_manifest(tmp_path)
    assert manifest.total("train", "tokens") == manifest.total("heldout", "tokens") == 6
    assert manifest.total("train", "text_bytes") == 42
    assert open_corpus(tmp_path).load(0).tags is None


@pytest.mark.parametrize(
    "kind", ["tokens.npy", "sentences.npy", "documents.npy", "documents.jsonl"]
)
def test_one_flipped_bit_is_refused_or_skipped_by_name(tmp_path: Path, kind: str) -> None:
    shards = [write(tmp_path, "train-00000"), write(tmp_path, "train-00001")]
    corpus(tmp_path, *shards)
    path = tmp_path / f"train-00001.{kind}"
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=rf"train-00001\.{kind}.*checksum"):
        open_corpus(tmp_path)
    opened = open_corpus(tmp_path, damaged="skip")
    assert opened.skipped == ("train-00001",)
    assert [one.name for one in opened.shards] == ["train-00000"]


def test_a_missing_file_is_damage_too(tmp_path: Path) -> None:
    corpus(tmp_path, write(tmp_path, "train-00000"))
    (tmp_path / "train-00000.tokens.npy").unlink()
    with pytest.raises(BadInputError, match="missing"):
        open_corpus(tmp_path)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"vocabulary_size": 3}', '{"shards": 1}'])
def test_a_folder_that_is_no_corpus_says_so(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(BiobertError, match=str(tmp_path)):
        open_corpus(tmp_path)


def test_the_manifest_survives_its_file(tmp_path: Path) -> None:
    manifest = CorpusManifest(
        vocabulary_size=70_000,
        tokenizer="f",
        shards=(write(tmp_path, "train-00000"),),
        settings={"filter": {"licences": ["cc-by"]}},
        sources=({"name": "a", "bytes": 3, "sha256": "00"},),
        tags=("", "NN"),
        licences={"cc-by": 2},
        rejects={"too short": 1},
        removed={"boilerplate paragraph": 4},
        absent_test_splits=("BioASQ",),
        version="1",
    )
    write_manifest(tmp_path, manifest)
    assert read_corpus_manifest(tmp_path) == manifest
    assert json.loads((tmp_path / "manifest.json").read_text())["tags"] == ["", "NN"]


def test_ids_take_no_more_room_than_they_need() -> None:
    assert token_type(30_522) is token_type(65_536) is np.uint16
    assert token_type(65_537) is np.uint32
