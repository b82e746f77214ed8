"""`biobert vocab train`: documents become a tokenizer folder and a report."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit

import pytest

from biobert.text.tokenizer import Tokenizer
from tests.cli.calling import call
from tests.tiny import tiny_tokenizer

SENTENCE = "Lithium caused cardiac arrest in patients with diabetes."
PUBTATOR = """1|t|Lithium caused cardiac arrest.
1|a|Patients recovered.
1\t0\t7\tLithium\tChemical\tD008094
1\t15\t29\tcardiac arrest\tDisease\tD006323
"""


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number:02}.txt").write_text(f"{SENTENCE} Patient {number} recovered.")
    return folder


@pytest.fixture
def other(tmp_path: Path) -> Path:
    folder = tmp_path / "other"
    folder.mkdir()
    tiny_tokenizer().save(folder)
    return folder


def test_the_built_in_vocabulary_can_be_measured_beside(texts: Path, tmp_path: Path) -> None:
    found = call(
        "vocab",
        "train",
        texts,
        "--output",
        tmp_path,
        "--size",
        200,
        "--compare",
        "embedded",
        "--json",
    )
    assert found.code == 0, found.err
    assert found.json["data"]["vocabularies"][1]["size"] == 30522


def test_a_folder_of_texts_becomes_a_tokenizer(texts: Path, other: Path, tmp_path: Path) -> None:
    terms, output = tmp_path / "terms.txt", tmp_path / "vocab"
    terms.write_text("cardiac arrest\n\ndiabetes mellitus\n")
    found = call(
        "vocab", "train", texts, "--output", output, "--size", 200, "--json",
        "--compare", other, "--terms", terms,
    )  # fmt: skip
    assert found.code == 0, found.err
    data = found.json["data"]
    assert (data["documents"], data["text"]) == (60, "held-out documents")
    assert data["term_count"] == 2
    new, compared = data["vocabularies"]
    assert (new["name"], compared["name"]) == ("new", "other")
    assert new["text"]["words"] == compared["text"]["words"] == 11
    assert new["text"]["pieces_per_word"] < compared["text"]["pieces_per_word"]
    tokenizer = Tokenizer.from_folder(output)
    assert tokenizer.vocabulary_size == new["size"] <= 200
    split = tokenizer.backend.encode("cardiac", add_special_tokens=False).tokens
    assert split == ["cardiac"]
    written = json.loads((output / "report.json").read_text())
    assert written == {key: data[key] for key in written}
    assert (output / "vocab.txt").read_text().startswith("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")


def test_a_person_reads_a_table_and_examples(texts: Path, other: Path, tmp_path: Path) -> None:
    found = call("vocab", "train", texts, "-o", tmp_path / "v", "--compare", other, "--size", 200)
    assert found.code == 0, found.err
    for word in ("pieces/word", "whole, %", "other (", "held-out", "rare words"):
        assert word in found.out
    assert "    other: p ##a ##t ##i" in found.out


def test_cased_keeps_capitals(texts: Path, tmp_path: Path) -> None:
    found = call("vocab", "train", texts, "--output", tmp_path / "v", "--case", "cased", "--json")
    assert found.code == 0, found.err
    vocabulary = (tmp_path / "v" / "vocab.txt").read_text().splitlines()
    assert "Lithium" in vocabulary and "lithium" not in vocabulary


def test_annotated_mentions_are_the_terms(tmp_path: Path) -> None:
    (tmp_path / "a.pubtator").write_text(PUBTATOR)
    output = tmp_path / "v"
    found = call("vocab", "train", tmp_path / "a.pubtator", "--output", output, "--json")
    assert found.code == 0, found.err
    data = found.json["data"]
    assert (data["terms"], data["term_count"]) == ("given or annotated", 2)
    assert data["text"] == "documents learnt from"


def test_what_cannot_be_read_is_set_aside_and_listed(texts: Path, tmp_path: Path) -> None:
    whole = gzip.compress(b'{"text": "Lithium helps."}\n' * 400)
    (texts / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (texts / "notes.docx").write_bytes(b"no text")
    rejects = tmp_path / "rejects.jsonl"
    wanted = ("vocab", "train", texts, "--output", tmp_path / "v", "--rejects", rejects)
    found = call(*wanted)
    assert found.code == 1
    assert "2 records set aside" in found.out
    assert "cannot be read to the end: cut.jsonl.gz: " in found.err
    assert (tmp_path / "v" / "report.json").is_file()
    assert "cut.jsonl.gz" in rejects.read_text()
    assert "ending not known" in rejects.read_text()
    assert call(*wanted, "--json").json["error"]["code"] == "unreadable"
    (texts / "cut.jsonl.gz").unlink()
    assert call(*wanted, "--json").json["data"]["set_aside"] == 1


@pytest.mark.parametrize("limit", [100, 3000])
def test_a_full_disk_is_named_and_leaves_no_half_tokenizer(
    texts: Path, tmp_path: Path, limit: int
) -> None:
    command = [sys.executable, "-m", "biobert"]
    arguments = ["vocab", "train", texts, "--output", tmp_path / "v", "--size", 200]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        preexec_fn=lambda: setrlimit(RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"{tmp_path / 'v' / 'tokenizer.json'} could not be written" in done.stderr
    assert "make room on the disk" in done.stderr
    assert not list((tmp_path / "v").iterdir())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--size", "50"], 1, "too small for this text: it needs"),
        (["--case", "lower"], 2, "uncased"),
        (["--compare", "{texts}"], 1, "no tokenizer.json and no vocab.txt"),
        (["--compare", "{texts}/00.txt"], 1, "is a file; name the folder"),
        (["--compare", "./nowhere"], 1, "no such model folder: ./nowhere"),
        (["--terms", "{texts}/nothing"], 1, "no such file"),
        (["--terms", "{empty}"], 1, "no terms in it"),
        (["--output", "{empty}"], 2, "is a file; name a folder"),
        (["--from", "tex"], 2, "text"),
    ],
)
def test_bad_input_is_named(
    texts: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("\n \n")
    given = [one.format(texts=texts, empty=empty) for one in arguments]
    found = call("vocab", "train", texts, "--output", tmp_path / "v", *given)
    assert found.code == code, found.err
    assert words in found.err
    assert not (tmp_path / "v").exists()


def test_sources_without_text_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text(" \n")
    found = call("vocab", "train", tmp_path / "empty.txt", "--output", tmp_path / "v")
    assert found.code == 1
    assert "no text" in found.err


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = call("vocab", "train", "nowhere.txt", "--output", tmp_path / "v")
    assert found.code == 1
    assert "nowhere.txt" in found.err
